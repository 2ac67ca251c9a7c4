package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"pinproof.dev/driver/internal/cri"
	"pinproof.dev/driver/internal/kubelet"
	"pinproof.dev/driver/internal/mounts"
	"pinproof.dev/driver/internal/namespaces"
	"pinproof.dev/driver/internal/recorder"
	"pinproof.dev/driver/internal/store"
	"pinproof.dev/driver/internal/trap"
)

// agent is one node.
type agent struct {
	mode  string
	store *store.Store
	cri   *recorder.Recorder
	has   containers // what the container runtime has
	rhythm
	logs  kubelet.Log
	files *trap.Files

	node     *mounts.Node // nil before setup
	kubelets map[string]kubelet.Binary

	mu      sync.Mutex // requests that wait look at the process while another starts one
	process *kubelet.Process
}

func newAgent(mode string) *agent {
	kept := store.New()
	calls := recorder.New(cri.Facts(kept))
	files := trap.NewFiles(kubelet.Root, stateFiles, func(file, text string) {
		calls.Note("write", recorder.Facts{"file": file, "text": text})
	})
	return &agent{mode: mode, store: kept, has: recorded{kept}, rhythm: usual, cri: calls, files: files, kubelets: map[string]kubelet.Binary{}}
}

// current is the kubelet that runs or ran last, nil before the first.
func (a *agent) current() *kubelet.Process {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.process
}

// running reports whether there is a kubelet that has not ended.
func (a *agent) running() bool {
	p := a.current()
	if p == nil {
		return false
	}
	_, ended := p.Exit()
	return !ended
}

func (a *agent) kill() {
	if p := a.current(); p != nil {
		p.Stop(syscall.SIGKILL, time.Minute)
	}
}

type setupRequest struct {
	Kubelets map[string]string `json:"kubelets"`
	mounts.Machine
}

func (a *agent) setup(_ context.Context, r setupRequest) (reply, error) {
	if a.node != nil {
		return nil, errors.New("setup is done already")
	}
	// First of all, because what is beneath /var/lib disappears.
	for name, path := range r.Kubelets {
		binary, err := kubelet.Open(path)
		if err != nil {
			return nil, err
		}
		a.kubelets[name] = binary
	}
	node, err := mounts.Setup(r.Machine)
	if err != nil {
		return nil, err
	}
	if err := cri.Serve(mounts.Socket, a.store, a.cri); err != nil {
		return nil, fmt.Errorf("serve the container runtime: %w", err)
	}
	a.node = node
	return reply{
		"namespaces": a.mode, "cgroup2": node.Cgroup2, "cri": "unix://" + mounts.Socket, "node_ip": namespaces.NodeIP,
	}, nil
}

func (a *agent) machine(_ context.Context, r mounts.Machine) (reply, error) {
	if a.node == nil {
		return nil, errors.New("machine before setup")
	}
	if a.running() {
		return nil, errors.New("the machine cannot change while a kubelet runs")
	}
	return nil, a.node.Replace(r)
}

type writeRequest struct {
	Files    []mounts.Change `json:"files"`
	Together bool            `json:"together"` // at once, in no order
}

func (a *agent) write(_ context.Context, r writeRequest) (reply, error) {
	if a.node == nil {
		return nil, errors.New("write before setup") // it would reach the host
	}
	for _, change := range r.Files {
		if err := mounts.CheckWritable(change.Path); err != nil {
			return nil, err
		}
	}
	return nil, applyAll(r)
}

func applyAll(r writeRequest) error {
	if r.Together {
		return applyTogether(r.Files)
	}
	for _, change := range r.Files {
		if err := change.Apply(); err != nil {
			return err
		}
	}
	return nil
}

// applyTogether carries out all changes at once: each has a goroutine of its own, and they set off on one sign.
func applyTogether(changes []mounts.Change) error {
	set := make(chan struct{})
	done := make(chan error, len(changes))
	for _, change := range changes {
		go func() {
			<-set
			done <- change.Apply()
		}()
	}
	close(set)
	var failed []error
	for range changes {
		failed = append(failed, <-done)
	}
	return errors.Join(failed...)
}

type readRequest struct {
	Paths []string `json:"paths"`
}

func (a *agent) read(_ context.Context, r readRequest) (reply, error) {
	files := map[string]*string{}
	for _, path := range r.Paths {
		files[path] = textOf(path)
	}
	return reply{"files": files}, nil
}

type startRequest struct {
	Kubelet string            `json:"kubelet"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
	Traps   string            `json:"traps"` // "": none, else "renames" or "opens"
}

func (a *agent) start(_ context.Context, r startRequest) (reply, error) {
	binary, known := a.kubelets[r.Kubelet]
	if !known {
		return nil, fmt.Errorf("setup named no kubelet %q", r.Kubelet)
	}
	if a.running() {
		return nil, errors.New("a kubelet runs already")
	}
	var env []string
	for name, value := range r.Env {
		env = append(env, name+"="+value)
	}
	traps, err := a.traps(r.Traps)
	if err != nil {
		return nil, err
	}
	process, err := kubelet.Start(binary, r.Args, env, &a.logs, traps)
	if err != nil {
		return nil, err
	}
	go func() {
		<-process.Done()
		a.cri.Faults.EndHangs()
	}()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.process = process
	return reply{"pid": process.PID()}, nil
}

type stopRequest struct {
	Signal  string `json:"signal"`
	Timeout millis `json:"timeout_ms"`
}

func (a *agent) stop(_ context.Context, r stopRequest) (reply, error) {
	signals := map[string]syscall.Signal{"": syscall.SIGTERM, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	signal, known := signals[r.Signal]
	if !known {
		return nil, fmt.Errorf("signal is %q, must be TERM or KILL", r.Signal)
	}
	process := a.current()
	if process == nil {
		return nil, errors.New("no kubelet has been started")
	}
	exit, killed := process.Stop(signal, r.Timeout.duration())
	body := exited(exit)
	if killed {
		body["timeout"] = true
	}
	return body, nil
}

type logRequest struct {
	All   bool   `json:"all"`   // of every kubelet of the node, not only of the latest
	About string `json:"about"` // only the lines that contain this; a log that is asked for again and again can be long
}

func (a *agent) log(_ context.Context, r logRequest) (reply, error) {
	return reply{"log": linesWith(r.About, a.logs.Text(r.All))}, nil
}

func linesWith(part, text string) string {
	if part == "" {
		return text
	}
	var found strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			found.WriteString(line)
		}
	}
	return found.String()
}

// millis is a duration of the protocol.
type millis int64

func (m millis) duration() time.Duration { return time.Duration(m) * time.Millisecond }

func exited(exit kubelet.Exit) reply {
	body := reply{"exited": exit.Code, "signal": nil}
	if exit.Signal != 0 {
		body["signal"] = exit.Signal
	}
	return body
}

// textOf is nil if the file cannot be read.
func textOf(path string) *string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	text := string(data)
	return &text
}

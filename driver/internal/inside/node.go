// Package inside answers the questions of package control on a real node: one of a kind cluster, whose kubelet is a unit of
// systemd, whose runtime is containerd, and whose pods come from an API server. It runs inside the node.
package inside

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc"

	"pinproof.dev/driver/internal/containerd"
	"pinproof.dev/driver/internal/kubelet"
	"pinproof.dev/driver/internal/mounts"
	"pinproof.dev/driver/internal/systemd"
	"pinproof.dev/driver/internal/trap"
)

const (
	quick    = 10 * time.Millisecond
	slow     = 50 * time.Millisecond // a look costs containerd as much as us
	patience = 10 * time.Second      // how long an observation may take before it is incomplete

	healthz      = "http://127.0.0.1:10248/healthz"
	deviceSocket = kubelet.Root + "/device-plugins/kubelet.sock"
)

type reply = map[string]any

// A node is the one that this process runs in.
type node struct {
	runtime   *containerd.Runtime
	resources *grpc.ClientConn
	log       *log
	files     *trap.Files // what becomes of writes of state files, where the kubelet is trapped
	status    status      // of the kubelet when it was last asked for
}

func newNode() (*node, error) {
	runtime, err := containerd.Connect()
	if err != nil {
		return nil, err
	}
	resources, err := kubelet.Connect()
	if err != nil {
		return nil, err
	}
	n := &node{runtime: runtime, resources: resources, log: newLog(), files: newFiles()}
	n.status, err = statusOf()
	return n, err
}

// running reports whether the kubelet runs, without a word with systemd while it does.
func (n *node) running() bool {
	if alive(n.status.pid) {
		return true
	}
	if now, err := statusOf(); err == nil {
		n.status = now
	}
	return n.status.pid != 0
}

func (n *node) exited() reply {
	body := reply{"exited": n.status.code, "signal": nil}
	if n.status.signal != 0 {
		body["signal"] = n.status.signal
	}
	return body
}

type millis int64

func (m millis) duration() time.Duration { return time.Duration(m) * time.Millisecond }

type startRequest struct {
	Kubelet string `json:"kubelet"` // path of the program; empty: the one that the node has
	Traps   string `json:"traps"`   // at which calls it is stopped and asked about: renames, opens as well, or none
}

// start starts a kubelet; that of the node that booted is stopped before.
func (n *node) start(_ context.Context, r startRequest) (reply, error) {
	if r.Kubelet != "" {
		put := func() error { return use(r.Kubelet) }
		if r.Traps != "" {
			put = func() error { return useTrapped(r.Kubelet, r.Traps == "opens") }
		}
		if err := put(); err != nil {
			return nil, fmt.Errorf("put the kubelet in its place: %w", err)
		}
	}
	if err := os.Remove(deviceSocket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := os.WriteFile(LogFile, nil, 0o644); err != nil {
		return nil, err
	}
	n.log = newLog()
	startUnit := func() error { _, err := systemd.Ctl("start", unit); return err }
	if r.Traps != "" {
		plain := startUnit
		startUnit = func() error { return n.trapped(plain) }
	}
	if err := startUnit(); err != nil {
		return nil, err
	}
	var err error
	n.status, err = statusOf()
	return reply{"pid": n.status.pid}, err
}

type stopRequest struct {
	Signal  string `json:"signal"`
	Timeout millis `json:"timeout_ms"`
}

func (n *node) stop(_ context.Context, r stopRequest) (reply, error) {
	killed, err := stop(r.Signal, r.Timeout.duration())
	if err != nil {
		return nil, err
	}
	n.running()
	body := n.exited()
	if killed {
		body["timeout"] = true
	}
	return body, nil
}

type writeRequest struct {
	Files []mounts.Change `json:"files"`
}

func (n *node) write(_ context.Context, r writeRequest) (reply, error) {
	for _, change := range r.Files {
		if err := change.Apply(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

type readRequest struct {
	Paths []string `json:"paths"`
}

func (n *node) read(_ context.Context, r readRequest) (reply, error) {
	files := map[string]*string{}
	for _, path := range r.Paths {
		files[path] = textOf(path)
	}
	return reply{"files": files}, nil
}

type logRequest struct {
	About string `json:"about"`
}

func (n *node) words(_ context.Context, r logRequest) (reply, error) {
	n.log.read()
	return reply{"log": n.log.about(r.About)}, nil
}

type exitRequest struct {
	UID       string `json:"uid"`
	Container string `json:"container"`
	Code      int    `json:"code"`
}

func (n *node) exit(ctx context.Context, r exitRequest) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := n.runtime.Containers(ctx)
	if err != nil {
		return nil, err
	}
	newest := containerd.Latest(list, r.UID, r.Container)
	if newest == nil || newest.State != "running" {
		return nil, fmt.Errorf("container %q of pod %q does not run", r.Container, r.UID)
	}
	return nil, n.runtime.End(ctx, newest.ID, r.Code)
}

type purgeRequest struct {
	Timeout millis `json:"timeout_ms"`
}

// ourManifests are the static pods of scenarios.
const ourManifests = "/etc/kubernetes/manifests/pinproof-*"

// purge removes what pods have left in the runtime, and manifests of ours, while no kubelet runs.
func (n *node) purge(ctx context.Context, r purgeRequest) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout.duration())
	defer cancel()
	left, err := filepath.Glob(ourManifests)
	for _, manifest := range left {
		err = errors.Join(err, os.Remove(manifest))
	}
	n.files = newFiles() // disks work
	err = errors.Join(err, n.runtime.Purge(ctx))
	removeGroups()
	return nil, err
}

// podGroups are the control groups of all pods, in version 1 and 2, as kind sets them up.
var podGroups = []string{"/sys/fs/cgroup/*/kubelet/kubepods", "/sys/fs/cgroup/kubelet/kubepods"}

// removeGroups lets the next kubelet make its control groups anew: one that runs without some leaves those of a former one as
// they are, and a set of CPUs that this had is then a bound for what it has never heard of.
func removeGroups() {
	for _, pattern := range podGroups {
		groups, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		for _, group := range groups {
			folders := []string{}
			_ = filepath.WalkDir(group, func(path string, entry os.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					folders = append(folders, path)
				}
				return nil // what vanishes meanwhile need not be removed
			})
			for _, folder := range slices.Backward(folders) {
				_ = os.Remove(folder) // one with a process that is just ending stays
			}
		}
	}
}

type observeRequest struct {
	PodResources bool `json:"pod_resources"`
	Allocatable  bool `json:"allocatable"`
	Told         bool `json:"told"`
}

// observe collects what can be seen inside the node. What could not be had is null and named in "errors".
func (n *node) observe(ctx context.Context, r observeRequest) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	faults := []string{}
	body := reply{
		"state": textOf(kubelet.Root + "/memory_manager_state"), "cpu_state": textOf(kubelet.Root + "/cpu_manager_state"),
		"pod_resources": nil, "exit_code": nil,
	}
	list, err := n.runtime.Containers(ctx)
	if err == nil && r.Told {
		err = n.runtime.Told(ctx, list)
		if err == nil {
			err = n.runtime.Kernel(ctx, list)
		}
	}
	if err != nil {
		faults = append(faults, err.Error())
	}
	body["containers"] = list
	if r.PodResources && n.running() {
		resources, err := kubelet.Ask(ctx, n.resources, r.Allocatable)
		if err != nil {
			faults = append(faults, err.Error())
		}
		body["pod_resources"] = resources
	}
	body["running"] = n.running()
	if !n.running() {
		body["exit_code"] = n.status.code
	}
	body["errors"] = faults
	return body, nil
}

func healthy(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, healthz, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz: %s", response.Status)
	}
	return nil
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

// Package kubelet starts a kubelet and reads what it says of itself.
package kubelet

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"pinproof.dev/driver/internal/trap"
)

// Where every kubelet keeps what has a constant path, in the node's own memory.
const (
	Root         = "/var/lib/kubelet"
	deviceSocket = Root + "/device-plugins/kubelet.sock"
)

// drain is how long to wait for the end of the output after the kubelet itself has ended: a child of it may live on.
const drain = 500 * time.Millisecond

// A Binary is an executable that stays reachable when its path no longer is.
type Binary struct{ fd int }

// Open opens the binary at path.
func Open(path string) (Binary, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Binary{}, fmt.Errorf("open the kubelet %s: %w", path, err)
	}
	defer unix.Close(fd)
	// High, because a new process moves low descriptors about before it executes.
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 200)
	if err != nil {
		return Binary{}, fmt.Errorf("keep the kubelet %s open: %w", path, err)
	}
	return Binary{fd: high}, nil
}

// An Exit is how a process ended. Code is 128+Signal after a signal, as in a shell.
type Exit struct {
	Code   int
	Signal int // 0: none
}

// A Process is a kubelet that has been started.
type Process struct {
	process *os.Process
	conn    *grpc.ClientConn // to its PodResources service
	pidfd   int              // valid if it is trapped
	done    chan struct{}
	exit    Exit // valid when done is closed
}

// Traps are what a kubelet is stopped at, and who is asked then.
type Traps struct {
	Opens  bool // not only renaming files, also opening them
	Decide func(trap.Action) trap.Answer
}

// Start starts a kubelet that dies with this process and prints to the log; it is trapped unless traps is nil.
func Start(binary Binary, args, env []string, log *Log, traps *Traps) (*Process, error) {
	if err := os.Remove(deviceSocket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	cmd := exec.Command(fmt.Sprintf("/proc/self/fd/%d", binary.fd))
	cmd.Args = append([]string{"kubelet"}, args...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + Root}, env...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = Root, log, log, drain
	// A group of its own: Ctrl-C on the terminal is for the runner to interpret.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	log.Begin()

	conn, err := Connect()
	if err != nil {
		return nil, err
	}
	p := &Process{conn: conn, done: make(chan struct{})}
	var birth *trap.Birth
	if traps != nil {
		cmd.SysProcAttr.PidFD = &p.pidfd
		if birth, err = trap.Wrap(cmd, binary.fd, traps.Opens); err != nil {
			return nil, &TrapError{err}
		}
		defer birth.Close()
	}
	started := make(chan error)
	go func() {
		// Pdeathsig is sent when the thread that forked ends, so it must live as long as the kubelet.
		runtime.LockOSThread()
		err := cmd.Start()
		p.process = cmd.Process
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // what matters of its error is in the state
		p.exit = exitOf(cmd.ProcessState)
		_ = conn.Close() // nobody is at the other end
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start the kubelet: %w", errors.Unwrap(err))
	}
	if traps != nil {
		if err := p.listen(birth, log, traps.Decide); err != nil {
			p.Stop(syscall.SIGKILL, time.Minute)
			return nil, &TrapError{err}
		}
	}
	return p, nil
}

// A TrapError is why a kubelet cannot be trapped here.
type TrapError struct{ error }

// Step is what failed, in the words of the protocol.
func (*TrapError) Step() string { return "traps" }

// listen answers for the process until it has ended.
func (p *Process) listen(birth *trap.Birth, log *Log, decide func(trap.Action) trap.Answer) error {
	listener, err := birth.Listener()
	if err != nil {
		return err
	}
	go func() {
		defer unix.Close(p.pidfd)
		if err := listener.Serve(p.pidfd, decide); err != nil {
			fmt.Fprintln(log, "pinproof:", err) // the kubelet's calls now fail, which it says as well
		}
	}()
	return nil
}

// PID is that of the process.
func (p *Process) PID() int { return p.process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit returns how the process ended, if it has.
func (p *Process) Exit() (Exit, bool) {
	select {
	case <-p.done:
		return p.exit, true
	default:
		return Exit{}, false
	}
}

// Stop sends the signal, waits, and kills what is still there after the timeout; killed reports that.
func (p *Process) Stop(signal syscall.Signal, timeout time.Duration) (exit Exit, killed bool) {
	if exit, ended := p.Exit(); ended {
		return exit, false
	}
	_ = p.process.Signal(signal) // it fails only if the process has just ended by itself
	select {
	case <-p.done:
	case <-time.After(timeout):
		_ = p.process.Kill()
		<-p.done
		killed = true
	}
	return p.exit, killed
}

// SocketMade reports whether the device manager listens, which it does last, after the CPU and memory managers.
func SocketMade() bool {
	_, err := os.Stat(deviceSocket)
	return err == nil
}

func exitOf(state *os.ProcessState) Exit {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return Exit{Code: 128 + int(status.Signal()), Signal: int(status.Signal())}
	}
	return Exit{Code: state.ExitCode()}
}

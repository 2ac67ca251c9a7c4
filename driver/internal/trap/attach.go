package trap

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ByName is the command of a process that somebody else starts, such as systemd: it sends its listener to a socket with a name.
const ByName = "trapped-for"

// An Await waits at a socket for the listener of a process that somebody else starts.
type Await struct{ socket *net.UnixListener }

// NewAwait begins to wait at a path, which is made anew.
func NewAwait(path string) (*Await, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	socket, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, err
	}
	return &Await{socket}, nil
}

// Listener is that of the process, once it is what it is to be; and a descriptor of the process.
func (a *Await) Listener(timeout time.Duration) (*Listener, int, error) {
	defer a.socket.Close()
	_ = a.socket.SetDeadline(time.Now().Add(timeout)) // a socket of ours has deadlines
	connection, err := a.socket.AcceptUnix()
	if err != nil {
		return nil, -1, fmt.Errorf("wait for the process that is to be trapped: %w", err)
	}
	file, err := connection.File()
	_ = connection.Close() // the file is another descriptor of it
	if err != nil {
		return nil, -1, err
	}
	birth := &Birth{socket: file}
	defer birth.Close()
	who, err := unix.GetsockoptUcred(int(file.Fd()), unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return nil, -1, err
	}
	pidfd, err := unix.PidfdOpen(int(who.Pid), 0)
	if err != nil {
		return nil, -1, fmt.Errorf("hold process %d: %w", who.Pid, err)
	}
	listener, err := birth.Listener()
	if err != nil {
		_ = unix.Close(pidfd)
		return nil, -1, err
	}
	return listener, pidfd, nil
}

// MainByName is the command: SOCKET [--opens] EXECUTABLE ARGUMENT... It only returns if that cannot be, with the exit code.
func MainByName(arguments []string) int {
	runtime.LockOSThread() // the filter is this thread's, and what executes is it
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Connect(socket, &unix.SockaddrUnix{Name: arguments[0]})
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "pinproof-runtime: nobody waits at %s: %v\n", arguments[0], err)
		return 1
	}
	rest := arguments[1:]
	alsoOpens := rest[0] == Opens
	if alsoOpens {
		rest = rest[1:]
	}
	listener, err := install(alsoOpens)
	if err == nil {
		err = unix.Sendmsg(socket, []byte{0}, unix.UnixRights(listener), nil, 0)
	}
	if err == nil {
		err = fmt.Errorf("execute it: %w", syscall.Exec(rest[0], rest, os.Environ()))
	}
	_ = unix.Sendmsg(socket, []byte(err.Error()), nil, nil, 0) // who waits may be gone
	fmt.Fprintf(os.Stderr, "pinproof-runtime: %v\n", err)
	return 1
}

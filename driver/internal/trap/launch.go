package trap

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Command is the name under which this binary puts the filter on itself and becomes what it is told to be.
const Command = "trapped"

// Opens is an argument of both commands: opening files is asked about as well.
const Opens = "--opens"

// Descriptors that it is given.
const (
	parent     = 3 // a socket: the listener goes there, or why there is none
	executable = 4
)

// A Birth is a trapped process that is being started.
type Birth struct {
	socket *os.File
	given  []*os.File // to the process; they are closed here once it has them
}

// Wrap makes a command for an open executable into one that is trapped from its first instruction on.
func Wrap(cmd *exec.Cmd, binary int, alsoOpens bool) (*Birth, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	b := &Birth{socket: os.NewFile(uintptr(ends[0]), "listener"), given: []*os.File{os.NewFile(uintptr(ends[1]), "parent")}}
	same, err := unix.FcntlInt(uintptr(binary), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("duplicate the executable's descriptor: %w", err)
	}
	b.given = append(b.given, os.NewFile(uintptr(same), "executable"))
	arguments := []string{"pinproof-runtime", Command}
	if alsoOpens {
		arguments = append(arguments, Opens)
	}
	cmd.Path, cmd.Args, cmd.ExtraFiles = "/proc/self/exe", append(append(arguments, "--"), cmd.Args...), b.given
	return b, nil
}

// Listener waits until the command, which has been started, is what it is to be. If it cannot be, it ends by itself.
func (b *Birth) Listener() (*Listener, error) {
	for _, file := range b.given {
		_ = file.Close() // so that the socket ends when the other side's does
	}
	var listener *Listener
	for {
		text, descriptor, err := receive(b.socket)
		switch {
		case err != nil:
			return nil, err
		case descriptor >= 0:
			listener = &Listener{fd: descriptor}
		case text != "":
			err = errors.New(text)
		case listener == nil:
			err = errors.New("the process ended before it was trapped")
		default:
			return listener, nil // its end of the socket closed when it was executed
		}
		if err != nil {
			if listener != nil {
				listener.close()
			}
			return nil, err
		}
	}
}

// Close gives back what Wrap took.
func (b *Birth) Close() {
	_ = b.socket.Close()
	for _, file := range b.given {
		_ = file.Close() // a second time does nothing
	}
}

// receive returns a message: a descriptor, or a text, or neither at the end; -1 is no descriptor.
func receive(socket *os.File) (text string, descriptor int, err error) {
	data, control := make([]byte, 1000), make([]byte, unix.CmsgSpace(4))
	n, m, _, _, err := unix.Recvmsg(int(socket.Fd()), data, control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return "", -1, fmt.Errorf("hear from the trapped process: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:m])
	if err != nil || len(messages) == 0 {
		return string(data[:n]), -1, err
	}
	descriptors, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(descriptors) != 1 {
		return "", -1, errors.Join(err, errors.New("the trapped process sent no listener"))
	}
	return "", descriptors[0], nil
}

// Main is the command: it only returns if the process cannot be trapped or executed, with the exit code.
func Main(arguments []string) int {
	runtime.LockOSThread() // the filter is this thread's, and what executes is it
	alsoOpens := arguments[0] == Opens
	if alsoOpens {
		arguments = arguments[1:]
	}
	if err := become(arguments[1:], alsoOpens); err != nil {
		_ = unix.Sendmsg(parent, []byte(err.Error()), nil, nil, 0) // a parent that is gone needs no reason
	}
	return 1
}

// become executes the given executable with arguments, the first of which is its name.
func become(arguments []string, alsoOpens bool) error {
	unix.CloseOnExec(parent)
	unix.CloseOnExec(executable)
	// Another thread than the first has no parent-death signal, and it is the one that lives on.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("ask to die with the parent: %w", err)
	}
	listener, err := install(alsoOpens)
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(parent, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("send the listener: %w", err)
	}
	return fmt.Errorf("execute it: %w", syscall.Exec(fmt.Sprintf("/proc/self/fd/%d", executable), arguments, os.Environ()))
}

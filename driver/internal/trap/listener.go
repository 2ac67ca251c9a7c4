package trap

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An Action is a system call that waits for an answer.
type Action struct {
	From string // what is renamed; "": a file is opened
	Path string // the name that it shall have, or of the file that is opened
}

// An Answer says what becomes of a system call.
type Answer struct {
	Errno unix.Errno // with which it fails; 0: it is carried out
	Kill  bool       // it never is, because the process is killed
	Taken func()     // unless nil, called when the kernel has taken the answer; it need not, see Serve
}

// A Listener is where the kernel asks.
type Listener struct{ fd int }

// notification is struct seccomp_notif.
type notification struct {
	id           uint64
	thread       uint32
	flags        uint32
	number       int32
	architecture uint32
	instruction  uint64
	arguments    [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	value int64
	errno int32 // negative
	flags uint32
}

// Serve asks decide about every call until the process, of which pidfd is a descriptor, has ended. Its children are asked
// about too while it lives; they rename nothing that matters.
//
// Before Linux 5.19 a signal takes a call back that has not been answered; the call is then made, and asked about, again.
func (l *Listener) Serve(pidfd int, decide func(Action) Answer) error {
	defer l.close()
	waiting := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}, {Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(waiting, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for system calls: %w", err)
		case waiting[1].Revents != 0:
			return nil
		case waiting[0].Revents != 0:
			if err := l.answer(pidfd, decide); err != nil {
				return err
			}
		}
	}
}

func (l *Listener) answer(pidfd int, decide func(Action) Answer) error {
	var asked notification
	if errno := l.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&asked)); errno != 0 {
		if errno == unix.ENOENT || errno == unix.EINTR {
			return nil // the call was taken back
		}
		return fmt.Errorf("receive a system call: %w", errno)
	}
	answer := Answer{}
	if action, known := asked.action(); known {
		answer = decide(action)
	}
	if answer.Kill {
		return unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	}
	reply := response{id: asked.id, errno: -int32(answer.Errno)}
	if answer.Errno == 0 {
		reply.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
	}
	switch errno := l.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&reply)); {
	case errno == unix.ENOENT:
		return nil
	case errno != 0:
		return fmt.Errorf("answer a system call: %w", errno)
	case answer.Taken != nil:
		answer.Taken()
	}
	return nil
}

func (l *Listener) ioctl(request uintptr, argument unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(l.fd), request, uintptr(argument))
	return errno
}

func (l *Listener) close() { _ = unix.Close(l.fd) }

// action reads what the call is about from the memory of its thread; not known is that of a thread that has ended.
func (n notification) action() (Action, bool) {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", n.thread))
	if err != nil {
		return Action{}, false
	}
	defer memory.Close()
	positions, rename := renames[n.number]
	if !rename {
		positions = opens[n.number]
	}
	var texts []string
	for _, position := range positions {
		text, known := textAt(memory, n.arguments[position])
		if !known {
			return Action{}, false
		}
		texts = append(texts, text)
	}
	if rename {
		return Action{From: texts[0], Path: texts[1]}, true
	}
	return Action{Path: texts[0]}, true
}

// textAt reads a path, which ends with a zero.
func textAt(memory *os.File, address uint64) (string, bool) {
	data := make([]byte, unix.PathMax)
	n, _ := memory.ReadAt(data, int64(address)) // it ends early where the memory does
	text, _, ended := bytes.Cut(data[:n], []byte{0})
	return string(text), ended
}

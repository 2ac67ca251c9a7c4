// Package namespaces gives a node the kernel namespaces it lives in.
package namespaces

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// The two ways to get the privilege to mount.
const (
	User = "user" // in a new user namespace, where the caller, whoever that is, is root
	Root = "root" // the caller is root already
)

// ExitNamespaces is the exit code when the kernel refuses the namespaces.
const ExitNamespaces = 12

// Launch starts this binary again as a node in namespaces of its own and waits for it.
//
// Go programs have several threads and so cannot move themselves into a user namespace; a new process can be born there.
func Launch(mode string) int {
	// The kernel sends a parent-death signal when the *thread* that forked ends: stay on the main thread.
	runtime.LockOSThread()
	// Ctrl-C reaches the whole foreground group; whoever holds our standard input decides when the node ends.
	signal.Ignore(syscall.SIGINT)
	cmd := exec.Command("/proc/self/exe", "node", "--namespaces", mode)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attributes(mode)
	if err := cmd.Start(); err != nil {
		Refuse(os.Stdout, fmt.Errorf("create the %s namespaces: %w", mode, errors.Unwrap(err)))
		return ExitNamespaces
	}
	go exitWithParent()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

func attributes(mode string) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWCGROUP,
		Pdeathsig:  syscall.SIGKILL,
	}
	if mode == User {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// Refuse tells the other side, in a line of the protocol, that the node cannot exist.
func Refuse(w io.Writer, err error) {
	line, _ := json.Marshal(map[string]any{"id": 0, "error": err.Error(), "step": "namespaces"}) // strings always marshal
	fmt.Fprintf(w, "%s\n", line)
}

// exitWithParent ends this process when its parent ends, even if somebody else still holds our standard input open.
//
// A parent-death signal would not do: a runner may start us from a thread that ends before the runner does.
func exitWithParent() {
	parent := os.Getppid()
	fd, err := unix.PidfdOpen(parent, 0)
	if err != nil {
		return // before Linux 5.3: the end of standard input is the only sign
	}
	defer unix.Close(fd)
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if err == nil {
			os.Exit(128 + int(syscall.SIGKILL))
		}
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

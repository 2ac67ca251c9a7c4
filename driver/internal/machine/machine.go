// Package machine holds the process of a virtual machine: it joins our standard streams with the machine's port, and
// lets the machine end with us, whatever ends us.
package machine

import (
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

// Descriptor is the end of the port in the machine's process.
const Descriptor = 3

// Main starts the command, whose port is a socket with the number Descriptor, and waits for it. The end of our standard
// input ends it, and so does the end of this process.
func Main(command []string) int {
	if len(command) == 0 {
		fmt.Fprintln(os.Stderr, "usage: pinproof-runtime machine QEMU ARGUMENTS")
		return 2
	}
	// The kernel sends a parent-death signal when the thread that forked ends: stay on the main thread.
	runtime.LockOSThread()
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP) // whoever holds our standard input decides
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "port"), os.NewFile(uintptr(pair[1]), "machine")
	started := exec.Command(command[0], command[1:]...)
	started.Stdout, started.Stderr = os.Stderr, os.Stderr
	started.ExtraFiles = []*os.File{theirs}
	started.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := started.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	theirs.Close()
	go func() {
		_, _ = io.Copy(ours, os.Stdin)
		_ = started.Process.Kill() // nobody is left who could use it
	}()
	go func() { _, _ = io.Copy(os.Stdout, ours) }()
	var exit *exec.ExitError
	if err := started.Wait(); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return started.ProcessState.ExitCode()
}

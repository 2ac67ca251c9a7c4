// Package guest is the first process of a node that is a virtual machine, and what it starts: the container runtime, and
// the node agent, which speaks through a port of the machine.
package guest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Self is where this program lies in the machine.
const Self = "/sbin/pinproof-runtime"

// Main is process 1: it makes the machine usable, starts the agent, and reaps whatever ends. It never returns while the
// machine is to run.
func Main() int {
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "pinproof-guest:", err)
		return 1 // the kernel panics, and its console says why
	}
	if err := keepToFirstCPU(); err != nil {
		fmt.Fprintln(os.Stderr, "pinproof-guest:", err)
		return 1
	}
	agent := exec.Command(Self, "guest-agent")
	agent.Stdout, agent.Stderr = os.Stdout, os.Stderr
	if err := agent.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "pinproof-guest:", err)
		return 1
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == nil && pid == agent.Process.Pid {
			fmt.Fprintf(os.Stderr, "pinproof-guest: the agent has ended: %#x\n", status)
			halt()
		}
	}
}

// keepToFirstCPU lets what we start run on CPU 0 alone, as the daemons of a node whose other CPUs are for pods. Where CPUs are
// emulated, most of a daemon's time would else go by with one waiting for the other. Containers run where their cpuset lets them.
func keepToFirstCPU() error {
	runtime.LockOSThread() // what starts processes is this thread
	var first unix.CPUSet
	first.Set(0)
	return unix.SchedSetaffinity(0, &first)
}

// goodbye is how long what runs may take to end when the machine goes off; then it is killed.
const goodbye = 5 * time.Second

// halt ends whatever runs, writes what is left to write and switches the machine off.
func halt() {
	everybody := -1 // but process 1
	_ = unix.Kill(everybody, unix.SIGTERM)
	hurry := time.AfterFunc(goodbye, func() { _ = unix.Kill(everybody, unix.SIGKILL) })
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err == syscall.ECHILD {
			break
		}
	}
	hurry.Stop()
	unix.Sync()
	_ = unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_RDONLY, "") // busy or not, it is in order: everything is written
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)                // returns only if it is not allowed
}

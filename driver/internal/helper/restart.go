package helper

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"syscall"

	"pinproof.dev/driver/internal/systemd"
)

// host is the root of the node's first process, which a pod sees that shares the node's processes and may trace them.
const host = "/proc/1/root"

// programs is where a node has its programs.
const programs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

var unitName = regexp.MustCompile(`^[A-Za-z0-9@._-]+$`)

// enterHost lets this process have the node's files and programs; only a pod that was given the node's processes and privileges can.
func enterHost() error {
	if err := syscall.Chroot(host); err != nil {
		return fmt.Errorf("enter the node: %w", err)
	}
	return errors.Join(os.Chdir("/"), os.Setenv("PATH", programs))
}

func inHost(do func() error) error {
	if err := enterHost(); err != nil {
		return err
	}
	return do()
}

// restart lets the node's systemd restart a unit. It does not wait: the answer comes by the kubelet.
func restart(unit string) (reply, error) {
	if !unitName.MatchString(unit) {
		return nil, fmt.Errorf("%q is no name of a unit", unit)
	}
	if err := enterHost(); err != nil {
		return nil, err
	}
	if _, err := systemd.Ctl("--no-block", "restart", unit); err != nil {
		return nil, err
	}
	return reply{"restarted": unit}, nil
}

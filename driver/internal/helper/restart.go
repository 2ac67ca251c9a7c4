package helper

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"syscall"
)

// host is the root of the node's first process, which a pod sees that shares the node's processes and may trace them.
const host = "/proc/1/root"

var unitName = regexp.MustCompile(`^[A-Za-z0-9@._-]+$`)

// restart lets the node's systemd restart a unit; only a pod that was given the node's processes and privileges can. It does not
// wait: the answer comes by the kubelet.
func restart(unit string) (reply, error) {
	if !unitName.MatchString(unit) {
		return nil, fmt.Errorf("%q is no name of a unit", unit)
	}
	command := exec.Command("systemctl", "--no-block", "restart", unit)
	command.Path = "/usr/bin/systemctl"
	command.Err = nil // it is not in this pod's own root
	command.Dir = "/"
	command.SysProcAttr = &syscall.SysProcAttr{Chroot: host}
	if said, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("systemctl restart %s: %w: %s", unit, err, bytes.TrimSpace(said))
	}
	return reply{"restarted": unit}, nil
}

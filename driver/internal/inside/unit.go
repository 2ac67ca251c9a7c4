package inside

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"pinproof.dev/driver/internal/systemd"
)

// The kubelet of a node of kind is a unit of systemd, and stays one: it is started and stopped as on any machine.
const (
	unit    = "kubelet.service"
	program = "/usr/bin/kubelet"
)

// A status is what systemd knows of the kubelet.
type status struct {
	pid    int // 0: it does not run
	code   int // how the last one ended: 128 and the signal after a signal, as in a shell
	signal int
}

func statusOf() (status, error) {
	values, err := systemd.Numbers(unit, "MainPID", "ExecMainStatus", "ExecMainCode")
	if err != nil {
		return status{}, err
	}
	s := status{pid: values["MainPID"], code: values["ExecMainStatus"]}
	const killed, dumped = 2, 3 // si_code of SIGCHLD
	if how := values["ExecMainCode"]; how == killed || how == dumped {
		s.signal, s.code = s.code, 128+s.code
	}
	return s, nil
}

// use makes a kubelet the one that the unit starts.
func use(path string) error {
	if now, err := os.Readlink(program); err == nil && now == path {
		return nil
	}
	draft := filepath.Join(filepath.Dir(program), ".kubelet")
	_ = os.Remove(draft) // left by a node that lost its power meanwhile
	if err := os.Symlink(path, draft); err != nil {
		return err
	}
	return os.Rename(draft, program)
}

func alive(pid int) bool { return pid > 0 && syscall.Kill(pid, 0) == nil }

// stop ends the kubelet by the signal, and by force after the timeout, which is reported.
func stop(signal string, timeout time.Duration) (killed bool, err error) {
	before, err := statusOf()
	if err != nil || before.pid == 0 {
		return false, err
	}
	if _, err := systemd.Ctl("kill", "--kill-whom=main", "--signal="+signal, unit); err != nil {
		return false, err
	}
	for deadline := time.Now().Add(timeout); alive(before.pid); time.Sleep(quick) {
		if time.Now().After(deadline) {
			killed = true
			_ = syscall.Kill(before.pid, syscall.SIGKILL) // it fails only if the process has just ended by itself
			deadline = deadline.Add(timeout)
		}
	}
	_, err = systemd.Ctl("stop", unit) // systemd has taken note when this returns
	return killed, err
}

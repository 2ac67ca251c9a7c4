package helper

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"pinproof.dev/driver/internal/systemd"
)

const (
	glance   = 500 * time.Millisecond
	attempts = 3 // of systemd to keep a kubelet running, after which a change is taken back
)

// configuration says where the kubelet of a unit has its configuration file, and what is in it; and whether it is one of systemd's
// at all, which it need not be on every node.
func configuration(unit string) (reply, error) {
	if err := enterHost(); err != nil {
		return nil, err
	}
	numbers, err := systemd.Numbers(unit, "MainPID")
	if err != nil {
		return nil, err
	}
	if numbers["MainPID"] == 0 {
		return reply{"runs": false}, nil
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", numbers["MainPID"]))
	if err != nil {
		return nil, err
	}
	arguments := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	body := reply{"runs": true, "path": valueOf(arguments, "config"), "directory": valueOf(arguments, "config-dir"), "text": ""}
	if body["path"] == "" {
		return body, nil
	}
	path, err := filepath.EvalSymlinks(valueOf(arguments, "config"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	body["path"], body["text"] = path, string(text)
	return body, err
}

// valueOf a flag, written as --name=value or as --name value; the last one counts.
func valueOf(arguments []string, name string) string {
	value := ""
	for at, argument := range arguments {
		key, given, written := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		switch {
		case key != name || !strings.HasPrefix(argument, "-"):
		case written:
			value = given
		case at+1 < len(arguments):
			value = arguments[at+1]
		}
	}
	return value
}

// A change is what a guard carries out.
type change struct {
	Root    string             `json:"root"`
	Unit    string             `json:"unit"`
	Seconds float64            `json:"seconds"` // within which it has to be confirmed
	Files   map[string]*string `json:"files"`   // path -> text; null removes
	Number  int                `json:"number"`
}

// begin takes note of a change and leaves the rest to a guard: a process that lives on when the kubelet stops, and with it
// the connection to whoever has asked.
func begin(text string) error {
	wanted := change{}
	if err := json.Unmarshal([]byte(text), &wanted); err != nil {
		return err
	}
	guard, err := guardian() // before this root is left
	if err != nil {
		return err
	}
	if err := enterHost(); err != nil {
		return err
	}
	err = update(wanted.Root, func(r *record) error {
		if r.Stage == returning {
			return errors.New("what was changed on this node is being put back")
		}
		r.Stage, r.Change, r.Words = changed, r.Change+1, ""
		wanted.Number = r.Change
		return nil
	})
	if err != nil {
		return err
	}
	return guard("change", wanted)
}

// putBackAll lets everything be put back, by a process that lives on.
func putBackAll(root, unit string) error {
	guard, err := guardian()
	if err != nil {
		return err
	}
	return guard("return", change{Root: root, Unit: unit})
}

// guardian prepares a process of this program that goes on when this one has ended.
func guardian() (func(task string, what change) error, error) {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	return func(task string, what change) error {
		defer program.Close()
		text, err := json.Marshal(what)
		if err != nil {
			return err
		}
		command := exec.Command("/proc/self/fd/3", "helper", "guard", task, string(text))
		command.ExtraFiles = []*os.File{program}
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return command.Start()
	}, nil
}

// guard is that process.
func guard(task, text string) error {
	what := change{}
	if err := json.Unmarshal([]byte(text), &what); err != nil {
		return err
	}
	if err := enterHost(); err != nil {
		return err
	}
	if task == "return" {
		return what.takeBack("", saved, changed, confirmed, returning, returned)
	}
	if err := what.carryOut(); err != nil {
		return errors.Join(err, what.takeBack(err.Error(), changed))
	}
	return what.watch()
}

// carryOut stops the kubelet, changes files and starts it; nothing, where everything is to be put back already.
func (c change) carryOut() error {
	return locked(c.Root, func() error {
		r, err := read(c.Root)
		if err != nil || r == nil || r.Stage != changed || r.Change != c.Number {
			return err
		}
		if _, err := systemd.Ctl("stop", c.Unit); err != nil {
			return err
		}
		for path, text := range c.Files {
			err := removed(path)
			if text != nil {
				err = write(path, *text)
			}
			if err != nil {
				return err
			}
		}
		return start(c.Unit)
	})
}

func start(unit string) error {
	_, _ = systemd.Ctl("reset-failed", unit) // it may not have failed
	_, err := systemd.Ctl("--no-block", "start", unit)
	return err
}

// watch looks after a change until it is put back or another comes: where the kubelet does not stay, or nobody has confirmed in
// time that it runs, nobody could order anything on this node any more, so everything is put back.
func (c change) watch() error {
	deadline := time.Now().Add(time.Duration(c.Seconds * float64(time.Second)))
	for ; ; time.Sleep(glance) {
		r, err := read(c.Root)
		if err != nil {
			return err
		}
		if r == nil || r.Change != c.Number || r.Stage == returning || r.Stage == returned {
			return nil
		}
		numbers, err := systemd.Numbers(c.Unit, "NRestarts")
		if err == nil && numbers["NRestarts"] >= attempts {
			return c.takeBack(words(c.Unit), changed, confirmed)
		}
		if r.Stage == changed && time.Now().After(deadline) {
			return c.takeBack(words(c.Unit), changed)
		}
	}
}

// takeBack puts everything back, if the change is at one of these stages, and restarts the kubelet.
func (c change) takeBack(words string, stages ...string) error {
	return update(c.Root, func(r *record) error {
		if !slices.Contains(stages, r.Stage) {
			return nil
		}
		r.Stage = returning
		if words != "" {
			r.Words = words
		}
		if err := r.write(c.Root); err != nil {
			return err
		}
		if _, err := systemd.Ctl("stop", c.Unit); err != nil {
			return err
		}
		if err := errors.Join(putBack(r), start(c.Unit)); err != nil {
			return err
		}
		r.Stage = returned
		return nil
	})
}

// words are the last ones of a unit.
func words(unit string) string {
	said, err := exec.Command("journalctl", "--no-pager", "--output=cat", "--lines=60", "--unit="+unit).CombinedOutput()
	if err != nil {
		return "its journal cannot be read: " + err.Error()
	}
	return string(said)
}

// kept is the record, as every pod sees it that has the kubelet's folder.
func kept(root string) (reply, error) {
	r, err := read(root)
	return reply{"saved": r}, err
}

// confirm says that the kubelet runs with the last change.
func confirm(root string) error {
	return update(root, func(r *record) error {
		if r.Stage != changed {
			return fmt.Errorf("the change is %s", r.Stage)
		}
		r.Stage = confirmed
		return nil
	})
}

// forget ends it: everything is back, or was never changed.
func forget(root string) error {
	r, err := read(root)
	if err != nil || r == nil {
		return err
	}
	if r.Stage != saved && r.Stage != returned {
		return fmt.Errorf("the change is %s", r.Stage)
	}
	for _, f := range r.Files {
		if err := removed(f.Path + suffix); err != nil {
			return err
		}
	}
	return removed(filepath.Join(root, recordName))
}

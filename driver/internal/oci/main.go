// Package oci stands between a container engine and its OCI runtime. It knows the few fields of a bundle that are recorded or left
// out, and passes on all others as they are.
package oci

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// plain is the name by which only privileges are seen to.
const plain = "pinproof-oci-plain"

// concerned are the commands of which something is recorded or left out; all others are passed on without a look at the host.
var concerned = []string{"create", "run", "restore", "exec", "update"}

// wrapper is what is done on the way.
type wrapper struct {
	host    host
	records string // the directory of the records; empty: nothing is recorded and no set is left out
	now     func() int64
	stdin   io.Reader
}

// Main does what there is to do on the way and becomes the real runtime; it returns only with an error.
func Main(arguments []string) error {
	real, err := realRuntime()
	if err != nil {
		return err
	}
	called := parse(slices.Clone(arguments[1:]))
	if slices.Contains(concerned, called.command) {
		found, err := thisHost()
		if err != nil {
			return fmt.Errorf("look at this host: %w", err)
		}
		way := wrapper{host: found, records: Told, now: func() int64 { return time.Now().UnixNano() }, stdin: os.Stdin}
		if filepath.Base(arguments[0]) == plain {
			way.records = ""
		}
		if err := way.pass(called); err != nil {
			return fmt.Errorf("%s %s: %w", called.command, called.container(), err)
		}
	}
	return syscall.Exec(real, append([]string{"runc"}, called.arguments...), os.Environ())
}

// pass records and edits what the command line points to, and the command line where it must.
func (w wrapper) pass(called invocation) error {
	switch called.command {
	case "create", "run", "restore":
		bundle := called.flag("bundle", "b")
		return change(filepath.Join(bundle, "config.json"), func(spec object) error { return w.creation(called.container(), spec) })
	case "exec":
		if file := called.flag("process", "p"); file != "" {
			return change(file, func(process object) error { clipPrivileges(process, w.host); return nil })
		}
	case "update":
		if file := called.flag("resources", "r"); file != "" && w.records != "" {
			return w.update(called, file)
		}
	}
	return nil
}

// creation sees to a bundle's config.json.
func (w wrapper) creation(id string, spec object) error {
	clipPrivileges(spec.at("process"), w.host)
	resources := spec.at("linux", "resources")
	if w.records == "" || resources == nil {
		return nil
	}
	return recordCreation(w.records, id, spec.at("annotations"), w.clipped(resources))
}

// update sees to new limits of a container that runs, from a file or from standard input.
func (w wrapper) update(called invocation, file string) error {
	var data []byte
	var err error
	if file == "-" {
		data, err = io.ReadAll(w.stdin)
	} else {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return err
	}
	resources, err := read(data)
	if err != nil {
		return err
	}
	if err := recordUpdate(w.records, called.container(), w.clipped(resources)); err != nil {
		return err
	}
	if data, err = json.Marshal(resources); err != nil {
		return err
	}
	name, err := inMemory(data)
	called.replace("resources", "r", name)
	return err
}

// clipped leaves out what the host lacks and returns what there was.
func (w wrapper) clipped(resources object) Sets {
	sets := setsOf(resources, w.now())
	clipSets(resources, w.host)
	left := setsOf(resources, sets.Nanosecond)
	sets.LeftOut = left.CPUs != sets.CPUs || left.Mems != sets.Mems || len(left.HugePages) != len(sets.HugePages)
	return sets
}

// inMemory is the name of a file that only this process, and what it becomes, can open.
func inMemory(data []byte) (string, error) {
	descriptor, err := unix.MemfdCreate("resources", 0) // stays open, so no os.File may own it: the real runtime reads it
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("/proc/self/fd/%d", descriptor)
	return name, os.WriteFile(name, data, 0o600)
}

// realRuntime is the first `runc` on PATH, or where distributions have it, that is not this program.
func realRuntime() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", err
	}
	directories := append(strings.Split(os.Getenv("PATH"), ":"), "/usr/local/sbin", "/usr/sbin", "/usr/bin")
	for _, directory := range directories {
		found, err := filepath.EvalSymlinks(filepath.Join(directory, "runc"))
		if directory == "" || err != nil || found == own {
			continue
		}
		if _, err := exec.LookPath(found); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("there is no runc on PATH (%s)", os.Getenv("PATH"))
}

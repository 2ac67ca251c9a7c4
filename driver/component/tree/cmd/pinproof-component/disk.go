package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"k8s.io/kubernetes/pkg/kubelet/util/store"
)

// killed is what unwinds the stack of a kubelet that is killed.
type killed struct{}

// disk is what lies between the managers and their files: faults that last, and a moment of the step at which the kubelet is killed.
//
// The kubelet writes a file without name and renames it. A crash before the one and before the other leave the same behind: of
// the file without name nobody ever hears again.
type disk struct {
	states map[string]string // path → full, read-only or unreadable
	point  *writePoint       // nil: nobody is killed
	left   int               // writes until then
	shown  bool
	seen   []written // in this step, if shown
}

// written is a write as it was begun.
type written struct{ path, text string }

// strike kills the kubelet at a point of what it does from now on; nil: nowhere.
func (d *disk) strike(at *writePoint) {
	d.point, d.left = at, 0
	if at != nil {
		d.left = at.Number
	}
}

// Writing answers what renaming onto the file's name answers.
func (d *disk) Writing(path string, data []byte) error {
	if d.shown {
		d.seen = append(d.seen, written{path, string(data)})
	}
	err := d.renaming(path)
	if d.point != nil && path == filepath.Join(stateDirectory, d.point.File) {
		d.left--
		if d.left == 0 && (d.point.Moment != "after" || err != nil) {
			panic(killed{})
		}
	}
	return err
}

// Written ends a kubelet that is killed behind its write.
func (d *disk) Written(path string) {
	if d.point != nil && d.left == 0 && path == filepath.Join(stateDirectory, d.point.File) {
		panic(killed{})
	}
}

// Reading answers what opening the file answers.
func (d *disk) Reading(path string) error {
	if d.states[path] == "unreadable" {
		return &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	}
	return nil
}

// temporary stands for the random name of a file that is not yet renamed.
const temporary = stateDirectory + "/.TEMP"

func (d *disk) renaming(path string) error {
	switch d.states[path] {
	case "full":
		return &os.LinkError{Op: "rename", Old: temporary, New: path, Err: syscall.ENOSPC}
	case "read-only":
		return &os.LinkError{Op: "rename", Old: temporary, New: path, Err: syscall.EROFS}
	}
	return nil
}

// become makes the disk of one file or of all of them what a step says.
func (d *disk) become(s *diskDocument) {
	for _, path := range []string{memoryFile, cpuFile} {
		if s.File == "" || path == filepath.Join(stateDirectory, s.File) {
			d.states[path] = s.State
		}
	}
}

func (s *diskDocument) check() error {
	switch s.State {
	case "works", "full", "read-only", "unreadable":
		if s.File == "" {
			return nil
		}
		return checkFile(s.File)
	}
	return fmt.Errorf("disk: works, full, read-only or unreadable, not %q", s.State)
}

func checkFile(name string) error {
	if name == filepath.Base(memoryFile) || name == filepath.Base(cpuFile) {
		return nil
	}
	return fmt.Errorf("there is no state file %q", name)
}

var _ store.Disk = &disk{}

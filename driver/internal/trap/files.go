package trap

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Moments of a write at which a process can be killed.
const (
	Before  = "before"  // nothing of it is on disk
	Unnamed = "unnamed" // the new text is there, still without its name
	After   = "after"   // the file has the new text
)

// A Write is one of a file, which is a file without name that is given the name.
type Write struct {
	File   string // the last part of its path
	Number int    // from 1, counted since it was armed
	Moment string
}

// Files are those of one directory whose writes are watched. Safe for concurrent use.
type Files struct {
	directory string
	names     []string
	note      func(file, text string)

	mu      sync.Mutex
	counts  map[string]int // file → writes since Arm
	armed   Write          // Number 0: none
	reached bool
	disks   map[string]string // file → state of its disk, where it does not work
}

// failures are the states of a disk: with what naming a new text fails, and with what opening the file does.
var failures = map[string]struct{ rename, open unix.Errno }{
	"works":      {},
	"full":       {rename: unix.ENOSPC},
	"read-only":  {rename: unix.EROFS},
	"unreadable": {open: unix.EACCES},
}

// NewFiles watches files of a directory; `note` hears of every one.
func NewFiles(directory string, names []string, note func(file, text string)) *Files {
	return &Files{directory: directory, names: names, note: note, counts: map[string]int{}, disks: map[string]string{}}
}

// Arm lets the process be killed at a write; writes are counted anew.
func (f *Files) Arm(write Write) error {
	if !slices.Contains(f.names, write.File) {
		return fmt.Errorf("writes of %q are not watched", write.File)
	}
	if !slices.Contains([]string{Before, Unnamed, After}, write.Moment) || write.Number < 1 {
		return fmt.Errorf("no write is number %d, moment %q", write.Number, write.Moment)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed, f.reached, f.counts = write, false, map[string]int{}
	return nil
}

// Disarm reports whether the process is killed at the write, which may be about to happen, and else lets it live.
func (f *Files) Disarm() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	reached := f.reached
	f.armed, f.reached = Write{}, false
	return reached
}

// Disk says on what disk a file is from now on.
func (f *Files) Disk(name, state string) error {
	if _, known := failures[state]; !known || !slices.Contains(f.names, name) {
		return fmt.Errorf("no disk of %q can be %q", name, state)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.disks[name] = state
	return nil
}

// Decide answers a system call of the process.
func (f *Files) Decide(action Action) Answer {
	directory, name := filepath.Split(action.Path)
	if filepath.Clean(directory) != f.directory || !slices.Contains(f.names, name) {
		return Answer{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	failure := failures[f.disks[name]]
	if action.From == "" {
		return Answer{Errno: failure.open}
	}
	if f.armed == (Write{File: name, Number: f.counts[name] + 1, Moment: f.armed.Moment}) {
		f.leave(action, failure.rename == 0)
		return Answer{Kill: true}
	}
	text, _ := os.ReadFile(action.From) // if it is not there, the rename says so
	return Answer{Errno: failure.rename, Taken: func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.counts[name]++
		if failure.rename == 0 {
			f.note(name, string(text))
		}
	}}
}

// leave makes the files what they are at the armed moment; the lock is held.
func (f *Files) leave(action Action, works bool) {
	switch {
	case f.armed.Moment == Before:
		_ = os.Remove(action.From) // what is not there need not be removed
	case f.armed.Moment == After && works:
		_ = os.Rename(action.From, action.Path) // it fails as it would have for the process
	}
	f.reached, f.armed = true, Write{}
}

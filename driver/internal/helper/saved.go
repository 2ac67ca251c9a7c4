package helper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// What is changed of a node is kept beside itself, as the very file that it was, and one record in the kubelet's folder says
// what is kept. While the record is there, the node is not as it was found; whoever sees it can put everything back.
const (
	recordName = "pinproof-saved.json"
	suffix     = ".pinproof-saved"
)

// How far a change has come. A node is put back from every stage.
const (
	saved     = "saved"     // nothing is changed yet
	changed   = "changed"   // the kubelet has not shown yet that it runs with the change
	confirmed = "confirmed" // it has
	returning = "returning" // everything is being put back
	returned  = "returned"  // everything is back
)

// A record says what is kept.
type record struct {
	Stage  string `json:"stage"`
	Change int    `json:"change"` // counts the changes, so that every guard knows its own
	Files  []file `json:"files"`
	Words  string `json:"words"` // the kubelet's last ones, where a change was taken back because it did not run
}

// A file is one that may be changed. One that is not present was not there, and is removed when everything is put back.
type file struct {
	Path    string `json:"path"`
	Present bool   `json:"present"`
}

// read is nil where nothing is kept.
func read(root string) (*record, error) {
	data, err := os.ReadFile(filepath.Join(root, recordName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", root, recordName, err)
	}
	return r, nil
}

func (r *record) write(root string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return write(filepath.Join(root, recordName), string(text))
}

// locked does something that nobody else does at the same time on this node.
func locked(root string, do func() error) error {
	folder, err := os.Open(root)
	if err != nil {
		return err
	}
	defer folder.Close() // which unlocks it
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	return do()
}

// update changes the record, which has to be there; an error of change leaves it as it is.
func update(root string, change func(*record) error) error {
	return locked(root, func() error {
		r, err := read(root)
		if err != nil {
			return err
		}
		if r == nil {
			return errors.New("nothing is saved on this node")
		}
		if err := change(r); err != nil {
			return err
		}
		return r.write(root)
	})
}

// save keeps files as they are. The record comes first: what is kept without one would never be put back. It may be repeated as
// long as nothing is changed.
func save(root string, paths []string) error {
	if r, err := read(root); err != nil || (r != nil && r.Stage != saved) {
		return errors.Join(err, errors.New("what a run has changed on this node was not put back"))
	}
	r := &record{Stage: saved}
	for _, path := range paths {
		_, err := os.Lstat(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		r.Files = append(r.Files, file{path, err == nil})
		if err := removed(path + suffix); err != nil {
			return err
		}
	}
	if err := r.write(root); err != nil {
		return err
	}
	for _, f := range r.Files {
		if !f.Present {
			continue
		}
		if err := os.Link(f.Path, f.Path+suffix); err != nil {
			return errors.Join(err, putBack(r), removed(filepath.Join(root, recordName)))
		}
	}
	return nil
}

// putBack makes every file what it was, and may be repeated.
func putBack(r *record) error {
	for _, f := range r.Files {
		if err := f.putBack(); err != nil {
			return err
		}
	}
	return nil
}

func (f file) putBack() error {
	if !f.Present {
		return removed(f.Path)
	}
	kept, err := os.Lstat(f.Path + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is back, or was never changed
	}
	if err != nil {
		return err
	}
	if now, err := os.Lstat(f.Path); err == nil && os.SameFile(now, kept) {
		return os.Remove(f.Path + suffix) // to rename a file to itself does nothing
	}
	return os.Rename(f.Path+suffix, f.Path)
}

// write replaces the text of a file at once, and leaves its owner and who may read it; a new one is its owner's alone.
func write(path, text string) error {
	mode, owner, group := fs.FileMode(0o600), os.Getuid(), os.Getgid()
	if now, err := os.Stat(path); err == nil {
		mode = now.Mode().Perm()
		if who, ok := now.Sys().(*syscall.Stat_t); ok {
			owner, group = int(who.Uid), int(who.Gid)
		}
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".pinproof-*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name()) // it has another name when all went well
	_, err = draft.WriteString(text)
	if err := errors.Join(err, draft.Chmod(mode), draft.Chown(owner, group), draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), path)
}

// removed removes a file that may not be there.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

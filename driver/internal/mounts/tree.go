package mounts

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A Tree is the wanted contents of a directory: relative path → entry; a nil entry is a directory.
// The empty tree is an empty directory, as on a kernel without the feature.
type Tree map[string]*Entry

// An Entry is a file with a text, or a symbolic link.
type Entry struct {
	Text string
	Link string
}

// UnmarshalJSON reads "text" or {"link": "target"}.
func (e *Entry) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &e.Text) == nil {
		return nil
	}
	var link struct {
		Link string `json:"link"`
	}
	if err := json.Unmarshal(data, &link); err != nil || link.Link == "" {
		return fmt.Errorf(`an entry of a tree is a text, null or {"link": "target"}, not %s`, data)
	}
	e.Link = link.Link
	return nil
}

// fill replaces everything in the directory root by the tree.
func (t Tree) fill(root string) error {
	old, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, entry := range old {
		if err := os.RemoveAll(filepath.Join(root, entry.Name())); err != nil {
			return err
		}
	}
	made := map[string]bool{root: true} // a machine has hundreds of files in few directories
	for name, entry := range t {
		if !filepath.IsLocal(name) {
			return fmt.Errorf("entry %q of the tree %s leaves it", name, root)
		}
		if err := entry.create(filepath.Join(root, name), made); err != nil {
			return err
		}
	}
	return nil
}

func (e *Entry) create(path string, made map[string]bool) error {
	parent := filepath.Dir(path)
	if e == nil {
		parent = path
	}
	if !made[parent] {
		if err := os.MkdirAll(parent, 0o755); err != nil {
			return err
		}
		made[parent] = true
	}
	switch {
	case e == nil:
		return nil
	case e.Link != "":
		return os.Symlink(e.Link, path)
	default:
		return os.WriteFile(path, []byte(e.Text), 0o644)
	}
}

// A Change writes a file so that a reader sees the old text or the new one, or deletes it if Text is nil.
type Change struct {
	Path string
	Text *string
}

// UnmarshalJSON reads ["/path", "text"] or ["/path", null].
func (c *Change) UnmarshalJSON(data []byte) error {
	var pair []*string
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 || pair[0] == nil {
		return fmt.Errorf(`a file is ["/path", "text"] or ["/path", null], not %s`, data)
	}
	c.Path, c.Text = *pair[0], pair[1]
	return nil
}

// Apply carries the change out. Parents are made; deleting what does not exist is no error.
func (c Change) Apply() error {
	if c.Text == nil {
		if err := os.Remove(c.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.Path), 0o755); err != nil {
		return err
	}
	// The kubelet skips names that begin with a dot, and sees the rename as one event.
	draft := filepath.Join(filepath.Dir(c.Path), "."+filepath.Base(c.Path))
	if err := os.WriteFile(draft, []byte(*c.Text), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, c.Path)
}

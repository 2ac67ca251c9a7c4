package mounts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A tree has files, links and empty directories, and replaces whatever was there.
func TestTreeFill(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "node7/old"), 0o755); err != nil {
		t.Fatal(err)
	}
	var tree Tree
	text := `{"node0/meminfo": "Node 0\n", "node0/cpu1": {"link": "../cpu1"}, "node0/empty": null}`
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	if err := tree.fill(root); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(filepath.Join(root, "node0/meminfo"))
	link, _ := os.Readlink(filepath.Join(root, "node0/cpu1"))
	empty, err := os.ReadDir(filepath.Join(root, "node0/empty"))
	_, old := os.Stat(filepath.Join(root, "node7"))

	if string(content) != "Node 0\n" || link != "../cpu1" || err != nil || len(empty) != 0 || !os.IsNotExist(old) {
		t.Errorf("got meminfo %q, link %q, empty %v %v, old %v", content, link, empty, err, old)
	}
}

// An entry that would leave its tree is refused.
func TestTreeStaysInside(t *testing.T) {
	if err := (Tree{"../x": {Text: "x"}}).fill(t.TempDir()); err == nil {
		t.Error("want an error for ../x")
	}
}

// A change makes the parents, leaves no draft, and deletes with null, twice if asked.
func TestChangeApply(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "pod.yaml")
	var changes []Change
	text, _ := json.Marshal([][]any{{path, "a"}, {path, "b"}})
	if err := json.Unmarshal(text, &changes); err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		if err := change.Apply(); err != nil {
			t.Fatal(err)
		}
	}
	content, _ := os.ReadFile(path)
	files, _ := os.ReadDir(filepath.Dir(path))
	for range 2 {
		if err := (Change{Path: path}).Apply(); err != nil {
			t.Fatal(err)
		}
	}
	_, gone := os.Stat(path)

	if string(content) != "b" || len(files) != 1 || !os.IsNotExist(gone) {
		t.Errorf("got %q, %d files, then %v", content, len(files), gone)
	}
}

// Only what is memory in the node may be written.
func TestCheckWritable(t *testing.T) {
	for path, want := range map[string]bool{
		"/var/lib/kubelet/x": true, "/var/log/x": true, "/etc/x": false, "/var/lib/../../etc/x": false, "/var/lib": false,
	} {
		if got := CheckWritable(path) == nil; got != want {
			t.Errorf("%s: want %v, got %v", path, want, got)
		}
	}
}

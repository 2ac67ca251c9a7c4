package helper

import (
	"os"
	"path/filepath"
	"testing"
)

// A node is a kubelet's folder with a configuration and one state file; the other is not there.
func node(t *testing.T) (root string, paths []string) {
	t.Helper()
	root = t.TempDir()
	paths = []string{filepath.Join(root, "config.yaml"), filepath.Join(root, "state"), filepath.Join(root, "cpu_state")}
	for _, path := range paths[:2] {
		must(t, os.WriteFile(path, []byte("old "+filepath.Base(path)), 0o640))
	}
	return root, paths
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// asBefore wants the node as `node` made it, with nothing beside it.
func asBefore(t *testing.T, root string, before os.FileInfo) {
	t.Helper()
	entries, err := os.ReadDir(root)
	must(t, err)
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) != 2 || names[0] != "config.yaml" || names[1] != "state" {
		t.Errorf("want config.yaml and state alone, got %v", names)
	}
	for _, name := range []string{"config.yaml", "state"} {
		if text, _ := os.ReadFile(filepath.Join(root, name)); string(text) != "old "+name {
			t.Errorf("%s is %q", name, text)
		}
	}
	if now, err := os.Stat(filepath.Join(root, "config.yaml")); err != nil || !os.SameFile(before, now) {
		t.Errorf("want the very file that there was: %v", err)
	}
}

func finish(t *testing.T, root string) {
	t.Helper()
	must(t, update(root, func(r *record) error { r.Stage = returned; return putBack(r) }))
	must(t, forget(root))
}

// Files that were rewritten, removed and made are as before, and nothing stays beside them.
func TestEverythingIsPutBack(t *testing.T) {
	root, paths := node(t)
	before, _ := os.Stat(paths[0])
	must(t, save(root, paths))

	must(t, write(paths[0], "new"))
	must(t, os.Remove(paths[1]))
	must(t, write(paths[2], "new"))
	if now, _ := os.Stat(paths[0]); now.Mode().Perm() != 0o640 {
		t.Errorf("the new file has mode %v", now.Mode())
	}

	finish(t, root)
	asBefore(t, root, before)
}

// Whoever is killed on the way leaves what the next one puts back: after each file of the saving, and of the putting back.
func TestPuttingBackMayBeInterrupted(t *testing.T) {
	for done := range 3 {
		root, paths := node(t)
		before, _ := os.Stat(paths[0])
		must(t, save(root, paths))
		must(t, write(paths[0], "new"))
		must(t, write(paths[1], "new"))
		must(t, write(paths[2], "new"))
		r, err := read(root)
		must(t, err)
		for _, f := range r.Files[:done] {
			must(t, f.putBack())
		}

		finish(t, root)
		asBefore(t, root, before)
	}
}

func TestSavingMayBeInterrupted(t *testing.T) {
	root, paths := node(t)
	before, _ := os.Stat(paths[0])
	must(t, save(root, paths))
	must(t, os.Remove(paths[1]+suffix)) // as if it had ended before

	finish(t, root)
	asBefore(t, root, before)
}

// What is changed is not saved: that would be put back at the end.
func TestASaveOfWhatIsChangedIsRefused(t *testing.T) {
	root, paths := node(t)
	must(t, save(root, paths))
	must(t, save(root, paths)) // whoever heard no answer asks again
	must(t, update(root, func(r *record) error { r.Stage = changed; return nil }))
	must(t, write(paths[0], "new"))

	if err := save(root, paths); err == nil {
		t.Error("want an error")
	}
}

// Without a change nothing is touched, not even a file that has come meanwhile.
func TestWhatWasNotChangedIsForgotten(t *testing.T) {
	root, paths := node(t)
	before, _ := os.Stat(paths[0])
	must(t, save(root, paths))

	must(t, forget(root))
	asBefore(t, root, before)
}

// A file that cannot be kept ends the saving, and leaves nothing.
func TestAFileThatCannotBeKept(t *testing.T) {
	root, paths := node(t)
	before, _ := os.Stat(paths[0])

	if err := save(root, append(paths, root)); err == nil {
		t.Error("want an error: no folder has a second name")
	}
	asBefore(t, root, before)
}

// What is not back yet is not forgotten, and what is being put back is not confirmed.
func TestStages(t *testing.T) {
	root, paths := node(t)
	must(t, save(root, paths))
	if err := confirm(root); err == nil {
		t.Error("nothing is changed: want an error")
	}
	must(t, update(root, func(r *record) error { r.Stage = changed; return nil }))
	if err := forget(root); err == nil {
		t.Error("want an error")
	}
	must(t, confirm(root))
	if err := confirm(root); err == nil {
		t.Error("want an error")
	}
}

func TestValueOf(t *testing.T) {
	for _, arguments := range [][]string{
		{"kubelet", "--config=/a"}, {"kubelet", "--config", "/a"}, {"kubelet", "-config=/a"}, {"--config=/b", "--config=/a"},
	} {
		if value := valueOf(arguments, "config"); value != "/a" {
			t.Errorf("%v: %q", arguments, value)
		}
	}
	if value := valueOf([]string{"kubelet", "config=/a", "--config-dir=/b"}, "config"); value != "" {
		t.Errorf("want none, got %q", value)
	}
}

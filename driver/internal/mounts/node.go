// Package mounts gives a node a machine: made trees and files over what the kernel shows, and memory for everything a
// kubelet writes. All of it is in the node's own mount namespace and ends with it.
package mounts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Home is where the node keeps its own files, and Socket where its container runtime listens.
const (
	Home   = "/var/lib/pinproof"
	Socket = Home + "/cri.sock"

	bound = Home + "/files" // what is bound over the host's files
)

// writable are the directories that are memory in the node: what is written there never reaches the host, and the host's
// daemons, whose sockets are in /run, are out of reach.
var writable = []string{"/var/lib", "/var/log", "/run"}

// A Machine is what the node shows instead of the host: trees over directories and texts over files.
type Machine struct {
	Trees map[string]Tree   `json:"trees"`
	Files map[string]string `json:"files"`
}

// A Node knows what it has mounted.
type Node struct {
	Cgroup2 bool // cgroup v2 is what a kubelet finds at /sys/fs/cgroup

	trees   map[string]bool   // path → mounted; false: the host has no such directory
	sources map[string]string // path → the file bound over it
}

// Setup covers what a kubelet may write, then mounts the machine. Files opened before stay readable.
func Setup(machine Machine) (*Node, error) {
	n := &Node{trees: map[string]bool{}, sources: map[string]string{}}
	for _, path := range writable {
		if err := cover(path); err != nil {
			return nil, err
		}
	}
	for _, path := range []string{bound, "/var/lib/kubelet"} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
	}
	// Apart from /var/lib: a kubelet tells file systems by device number, and would take one of the bound files for its disk.
	if err := cover(bound); err != nil {
		return nil, err
	}
	const readOnly = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	// Where the kernel refuses (no cgroup v2, or no right to it), the host's cgroup v1 stays visible.
	n.Cgroup2 = unix.Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", readOnly, "") == nil
	// The host's kernel messages are none of the node's business, and an ordinary user may not read them.
	if err := n.bind("/dev/kmsg", ""); err != nil {
		return nil, err
	}
	for path, tree := range machine.Trees {
		if err := n.mountTree(path, tree); err != nil {
			return nil, err
		}
	}
	for path, text := range machine.Files {
		if err := n.bind(path, text); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Replace gives trees and files that Setup mounted other contents. Not while a kubelet runs.
func (n *Node) Replace(machine Machine) error {
	for path, tree := range machine.Trees {
		mounted, known := n.trees[path]
		switch {
		case !known:
			return fmt.Errorf("no tree was set up over %s", path)
		case mounted:
			if err := tree.fill(path); err != nil {
				return err
			}
		case len(tree) > 0:
			return absent(path)
		}
	}
	for path, text := range machine.Files {
		source, known := n.sources[path]
		if !known {
			return fmt.Errorf("no file was set up over %s", path)
		}
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// CheckWritable refuses a path whose contents would reach the host.
func CheckWritable(path string) error {
	clean := filepath.Clean(path)
	for _, dir := range writable {
		if strings.HasPrefix(clean, dir+"/") {
			return nil
		}
	}
	return fmt.Errorf("%s is not in memory; only what is in %s is", path, strings.Join(writable, ", "))
}

func (n *Node) mountTree(path string, tree Tree) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if len(tree) > 0 {
			return absent(path)
		}
		n.trees[path] = false
		return nil
	}
	if err := cover(path); err != nil {
		return err
	}
	n.trees[path] = true
	return tree.fill(path)
}

// bind shows a text of our own in place of a file of the host.
func (n *Node) bind(path, text string) error {
	source := filepath.Join(bound, strconv.Itoa(len(n.sources)))
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(source, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind a file over %s: %w", path, err)
	}
	n.sources[path] = source
	return nil
}

// cover mounts empty memory over a directory.
func cover(path string) error {
	if err := unix.Mount("pinproof", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mount memory over %s: %w", path, err)
	}
	return nil
}

func absent(path string) error {
	return fmt.Errorf("this kernel has no %s to put a made tree over", path)
}

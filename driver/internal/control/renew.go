package control

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"pinproof.dev/driver/internal/kubelet"
)

const (
	podsCgroup = "/sys/fs/cgroup/kubepods" // of all pods, as kubelets with the driver cgroupfs name it
	clearLog   = 5                         // SYSLOG_ACTION_CLEAR
)

// emptied are the directories of which a kubelet that has never run finds nothing.
var emptied = []string{kubelet.Root, "/var/lib/pinproof/manifests", "/var/log/pods", "/var/log/containers"}

type renewRequest struct {
	Timeout millis `json:"timeout_ms"`
}

// renew leaves nothing of the kubelet, of its pods and of what the kernel said of them.
func (g guest) renew(a *agent, ctx context.Context, r renewRequest) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout.duration())
	defer cancel()
	a.kill()
	// All at once and by the kernel: a runtime that is told to would start a process for each container.
	err := os.WriteFile(podsCgroup+"/cgroup.kill", []byte("1"), 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := g.runtime.Purge(ctx); err != nil {
		return nil, err
	}
	for _, directory := range emptied {
		if err := empty(directory); err != nil {
			return nil, err
		}
	}
	if err := removeCgroup(ctx, podsCgroup); err != nil {
		return nil, err
	}
	_, err = unix.Klogctl(clearLog, nil)
	return nil, err
}

// empty removes what is in a directory, which need not be there.
func empty(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// removeCgroup removes a tree of control groups; for a moment after their end processes still are in them.
func removeCgroup(ctx context.Context, root string) error {
	var groups []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			groups = append(groups, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	slices.Reverse(groups) // those in others first
	for _, group := range groups {
		for unix.Rmdir(group) == unix.EBUSY {
			select {
			case <-ctx.Done():
				return &fs.PathError{Op: "remove", Path: group, Err: unix.EBUSY}
			case <-time.After(emulated.quick / 10):
			}
		}
	}
	return err
}

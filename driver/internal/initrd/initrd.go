// Package initrd brings a virtual machine from its first file system, in memory, to the one on its disk.
package initrd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	modules = "/modules" // files whose names sort in the order of loading
	disk    = "/dev/vda"
	root    = "/root"
	next    = "/sbin/pinproof-runtime"

	pause    = 5 * time.Millisecond
	patience = 30 * time.Second
)

// Switch returns only if something went wrong.
func Switch() error {
	if err := unix.Mount("devtmpfs", "/dev", "devtmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount /dev: %w", err)
	}
	if err := LoadAll(modules); err != nil {
		return err
	}
	if err := mountDisk(); err != nil {
		return fmt.Errorf("mount %s: %w", disk, err)
	}
	// As switch_root does, without freeing the first file system: it is a few megabytes.
	if err := unix.Mount("/dev", root+"/dev", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move /dev: %w", err)
	}
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return unix.Exec(next, []string{next, "guest"}, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"})
}

// LoadAll loads the kernel modules of a directory in the order of their names.
func LoadAll(directory string) error {
	entries, err := os.ReadDir(directory) // sorted
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := load(filepath.Join(directory, entry.Name())); err != nil {
			return fmt.Errorf("load %s: %w", entry.Name(), err)
		}
	}
	return nil
}

func load(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

// mountDisk waits for the disk, which the kernel finds a moment after its driver is there.
func mountDisk() error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) { // no event says so without a process that listens for it
		err := unix.Mount(disk, root, "ext4", unix.MS_NOATIME, "")
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

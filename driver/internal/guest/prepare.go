package guest

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"pinproof.dev/driver/internal/initrd"
	"pinproof.dev/driver/internal/namespaces"
)

const (
	modules     = "/modules"
	cgroups     = "/sys/fs/cgroup"
	controllers = "+cpuset +cpu +io +memory +pids +hugetlb"
)

// mounted are the file systems of every Linux, in the order in which they need each other.
var mounted = []struct{ kind, place, data string }{
	{"proc", "/proc", ""},
	{"sysfs", "/sys", ""},
	{"tmpfs", "/run", "mode=0755"},
	{"tmpfs", "/tmp", "mode=1777"},
	{"devpts", "/dev/pts", ""},
	{"tmpfs", "/dev/shm", "mode=1777"},
	{"mqueue", "/dev/mqueue", ""},
	{"cgroup2", cgroups, ""},
}

func prepare() error {
	for _, one := range mounted {
		if err := os.MkdirAll(one.place, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(one.kind, one.place, one.kind, 0, one.data); err != nil {
			return fmt.Errorf("mount %s: %w", one.place, err)
		}
	}
	// What a container runtime mounts must be seen by what it starts.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return err
	}
	if err := initrd.LoadAll(modules); err != nil {
		return err
	}
	if err := os.WriteFile(cgroups+"/cgroup.subtree_control", []byte(controllers), 0); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("node")); err != nil {
		return err
	}
	return namespaces.Loopback()
}

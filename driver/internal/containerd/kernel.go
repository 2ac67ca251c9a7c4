package containerd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pinproof.dev/driver/internal/oci"
)

// Sets are the kernel's lists of NUMA nodes and CPUs.
type Sets struct {
	Mems string `json:"mems"`
	CPUs string `json:"cpus"`
}

// Enforced are the sets of a running container that this host can give: as the runtime was last told them, and as its
// control group has them. One that the host lacks, or that nobody told, is empty on both sides.
type Enforced struct {
	Told   Sets `json:"told"`
	Kernel Sets `json:"kernel"`
}

// Kernel completes running containers with what the kernel holds them to, where this host has what they were told.
func (r *Runtime) Kernel(ctx context.Context, list []Container) error {
	hasCPUs, hasMems, err := oci.Host()
	if err != nil {
		return err
	}
	for i := range list {
		told := list[i].last
		if !hasMems(told.Mems) {
			told.Mems = ""
		}
		if !hasCPUs(told.CPUs) {
			told.CPUs = ""
		}
		if told == (Sets{}) || list[i].State != "running" {
			continue
		}
		has, err := r.enforced(ctx, list[i].ID, told)
		if err != nil {
			return fmt.Errorf("what the kernel holds %s/%s to: %w", list[i].Pod, list[i].Container, err)
		}
		if has != nil {
			list[i].Enforced = &Enforced{told, *has}
		}
	}
	return nil
}

// enforced is nil where the container has ended meanwhile.
func (r *Runtime) enforced(ctx context.Context, id string, told Sets) (*Sets, error) {
	pid, err := r.process(ctx, id)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if os.IsNotExist(err) {
		return nil, nil
	}
	mounted, mounts := os.ReadFile("/proc/self/mountinfo")
	if err != nil || mounts != nil {
		return nil, fmt.Errorf("process %d: %w %w", pid, err, mounts)
	}
	group, err := cpusetGroup(string(text), string(mounted))
	if err != nil {
		return nil, err
	}
	var has Sets
	if told.Mems != "" {
		has.Mems, err = listIn(group, "cpuset.mems")
	}
	if err == nil && told.CPUs != "" {
		has.CPUs, err = listIn(group, "cpuset.cpus")
	}
	if err != nil {
		return nil, err
	}
	return &has, nil
}

func listIn(group, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(group, name))
	return strings.TrimSpace(string(text)), err
}

// process is the container's first process.
func (r *Runtime) process(ctx context.Context, id string) (int, error) {
	info, err := r.Details(ctx, id)
	if err != nil {
		return 0, err
	}
	if info.PID <= 0 {
		return 0, fmt.Errorf("the runtime does not tell the process of container %s", id)
	}
	return info.PID, nil
}

// cpusetGroup is the folder of a process's control group with its cpuset, in version 1 or 2. `of` is the process's
// /proc/PID/cgroup, `mounted` our own /proc/self/mountinfo: what is mounted may be a part of the tree.
func cpusetGroup(of, mounted string) (string, error) {
	v1, v2 := "", ""
	for line := range strings.Lines(of) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		if slices.Contains(strings.Split(fields[1], ","), "cpuset") {
			v1 = fields[2]
		} else if fields[0] == "0" {
			v2 = fields[2]
		}
	}
	for line := range strings.Lines(mounted) {
		before, after, _ := strings.Cut(strings.TrimSpace(line), " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if len(place) < 5 || len(kind) < 3 {
			continue
		}
		root, point := place[3], place[4]
		path := v2
		if v1 != "" {
			path = v1
		}
		isV1 := kind[0] == "cgroup" && slices.Contains(strings.Split(kind[2], ","), "cpuset")
		if (v1 != "" && isV1) || (v1 == "" && kind[0] == "cgroup2") {
			return filepath.Join(point, strings.TrimPrefix(path, root)), nil
		}
	}
	return "", fmt.Errorf("no control group with a cpuset is mounted for %q", strings.TrimSpace(of))
}

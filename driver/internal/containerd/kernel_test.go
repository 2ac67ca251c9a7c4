package containerd

import "testing"

const (
	v1 = `143 140 0:31 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset
92 143 0:31 /kubelet /sys/fs/cgroup/cpuset/kubelet rw,nosuid - cgroup cgroup rw,cpuset
`
	shared = "143 140 0:31 /docker/n /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpu,cpuset\n"
	v2     = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
)

func TestTheControlGroupOfAProcessIsFoundWhereItIsMounted(t *testing.T) {
	for _, each := range []struct{ of, mounted, want string }{
		{"4:memory:/x\n3:cpuset:/k8s.io/c\n0::/\n", v1, "/sys/fs/cgroup/cpuset/k8s.io/c"},
		{"3:cpu,cpuset:/docker/n/k8s.io/c\n", shared, "/sys/fs/cgroup/cpuset/k8s.io/c"},
		{"0::/kubelet/pod1/c\n", v2, "/sys/fs/cgroup/kubelet/pod1/c"},
	} {
		if got, err := cpusetGroup(each.of, each.mounted); err != nil || got != each.want {
			t.Errorf("%q: %q, %v", each.of, got, err)
		}
	}
}

func TestAProcessWithoutAMountedCpusetIsAnError(t *testing.T) {
	if group, err := cpusetGroup("3:cpuset:/c\n", v2); err == nil {
		t.Errorf("it is in %q", group)
	}
}

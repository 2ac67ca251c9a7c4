package helper

import (
	"os"
	"path/filepath"
	"strings"
)

// Sys is where the pod has the node's /sys.
const Sys = "/host/sys"

// shape are the files that say what the machine is, as the kubelet reads them.
var shape = []string{
	"devices/system/node/online",
	"devices/system/node/node*/cpulist",
	"devices/system/node/node*/meminfo",
	"devices/system/node/node*/distance",
	"devices/system/node/node*/hugepages/*/nr_hugepages",
	"devices/system/cpu/online",
	"devices/system/cpu/cpu*/topology/physical_package_id",
	"devices/system/cpu/cpu*/topology/thread_siblings_list",
}

// machine is the text of every file of the shape, by its path below /sys, and what the kernel itself allows this process.
func machine() (reply, error) {
	files := map[string]string{}
	for _, pattern := range shape {
		paths, err := filepath.Glob(filepath.Join(Sys, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				continue // a node without memory has no such file
			}
			files[strings.TrimPrefix(path, Sys+"/")] = string(text)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	return reply{
		"files": files, "meminfo": string(meminfo),
		"mems": fieldOf(string(status), "Mems_allowed_list"), "cpus": fieldOf(string(status), "Cpus_allowed_list"),
	}, nil
}

func fieldOf(status, name string) string {
	for line := range strings.Lines(status) {
		if key, value, found := strings.Cut(line, ":"); found && key == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

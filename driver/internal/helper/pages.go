package helper

import (
	"context"
	"fmt"
	"os"
	"time"

	"pinproof.dev/driver/internal/workload"
)

// pages tells, inside a container of a scenario, where the memory of its workload lies, in the kernel's own words, once it has
// touched what it was told to.
func pages(ctx context.Context) (reply, error) {
	for {
		name, err := os.ReadFile("/proc/1/comm")
		if err != nil {
			return nil, err
		}
		if string(name) == workload.Touched+"\n" {
			break
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the workload does not touch its memory: %w", ctx.Err())
		case <-time.After(quick): // nobody announces that a process has another name
		}
	}
	body := reply{}
	for key, paths := range map[string][]string{
		"numa_maps": {"/proc/1/numa_maps"},
		"status":    {"/proc/1/status"},
		"mems":      {"/sys/fs/cgroup/cpuset.mems", "/sys/fs/cgroup/cpuset/cpuset.mems"}, // of version 2, of version 1
		"effective": {"/sys/fs/cgroup/cpuset.mems.effective", "/sys/fs/cgroup/cpuset/cpuset.effective_mems"},
	} {
		text, err := firstOf(paths)
		if err != nil {
			return nil, err
		}
		body[key] = text
	}
	return body, nil
}

// firstOf is the text of the first file that is there.
func firstOf(paths []string) (string, error) {
	var last error
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err == nil {
			return string(text), nil
		}
		last = err
	}
	return "", last
}

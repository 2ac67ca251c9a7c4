package oci

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// host is what this machine really has, whatever is mounted over its files.
type host struct {
	cpus, mems   map[int]bool
	capabilities uint64          // those that a process here can have at all, by number
	oomScore     int             // below it nobody may go without CAP_SYS_RESOURCE
	pageSizes    map[string]bool // `2MB`: those the kernel counts for containers
}

// mayRaise tells whether limits and scores can be changed in both directions.
func (h host) mayRaise() bool { return h.capabilities&(1<<capabilityNumbers["CAP_SYS_RESOURCE"]) != 0 }

// Host tells whether this machine really has every CPU, and every NUMA node, of a list.
func Host() (cpus, mems func(list string) bool, err error) {
	found, err := thisHost()
	return func(list string) bool { return has(found.cpus, list) }, func(list string) bool { return has(found.mems, list) }, err
}

// thisHost reads /proc, which made machines leave alone, and the control groups.
func thisHost() (host, error) {
	found := host{pageSizes: pageSizes("/sys/fs/cgroup")}
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return found, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimSpace(value)
		switch name {
		case "Cpus_allowed_list":
			found.cpus, err = parseList(value)
		case "Mems_allowed_list":
			found.mems, err = parseList(value)
		case "CapBnd":
			found.capabilities, err = strconv.ParseUint(value, 16, 64)
		}
		if err != nil {
			return found, err
		}
	}
	score, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return found, err
	}
	found.oomScore, err = strconv.Atoi(strings.TrimSpace(string(score)))
	return found, err
}

// pageSizes are the huge pages that can be limited, in version 1 and 2 of control groups.
func pageSizes(root string) map[string]bool {
	found := map[string]bool{}
	for _, pattern := range []string{"hugetlb/hugetlb.*.limit_in_bytes", "hugetlb.*.max"} {
		files, _ := filepath.Glob(filepath.Join(root, pattern)) // the only error is a malformed pattern
		for _, file := range files {
			found[strings.Split(filepath.Base(file), ".")[1]] = true
		}
	}
	return found
}

// parseList reads the kernel's lists: `0-3,8`.
func parseList(text string) (map[int]bool, error) {
	found := map[int]bool{}
	if text == "" {
		return found, nil
	}
	for _, part := range strings.Split(text, ",") {
		low, high, ranged := strings.Cut(strings.TrimSpace(part), "-")
		first, err := strconv.Atoi(low)
		if err != nil {
			return nil, err
		}
		last := first
		if ranged {
			if last, err = strconv.Atoi(high); err != nil {
				return nil, err
			}
		}
		for n := first; n <= last; n++ {
			found[n] = true
		}
	}
	return found, nil
}

// has tells whether every number of a list is there. A list that cannot be read is the runtime's to refuse.
func has(there map[int]bool, list string) bool {
	wanted, err := parseList(list)
	if err != nil {
		return true
	}
	for n := range wanted {
		if !there[n] {
			return false
		}
	}
	return true
}

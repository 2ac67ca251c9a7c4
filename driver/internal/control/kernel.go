package control

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	readAll    = 3  // SYSLOG_ACTION_READ_ALL
	bufferSize = 10 // SYSLOG_ACTION_SIZE_BUFFER
)

// kernelLog is what the kernel has said and not overwritten yet.
func kernelLog() (string, error) {
	size, err := unix.Klogctl(bufferSize, nil)
	if err != nil {
		return "", err
	}
	buffer := make([]byte, size)
	n, err := unix.Klogctl(readAll, buffer)
	if err != nil {
		return "", err
	}
	return string(buffer[:n]), nil
}

// cgroupOf is the directory of a process's cgroup, of version 2; proc is the process's own directory.
func cgroupOf(proc string) string {
	text, err := os.ReadFile(proc + "cgroup")
	if err != nil {
		return ""
	}
	_, path, _ := strings.Cut(strings.TrimSpace(string(text)), "::")
	return "/sys/fs/cgroup" + path
}

func syncDisks() { unix.Sync() }

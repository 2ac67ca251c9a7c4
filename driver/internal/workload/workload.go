// Package workload is what runs in the containers of a real node: it touches the memory it is told to, and ends when it is
// told, with the code it is told.
package workload

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// CodeFile is where the code to end with is written, in the container's own root.
const CodeFile = "/code"

// Tell is the signal after which the code is read.
const Tell = syscall.SIGUSR1

// Main touches memory, as the arguments say, and waits: SIGTERM ends it with 143, as a process that does not handle it;
// Tell with the code in CodeFile.
func Main(arguments []string) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, Tell)
	if err := touch(arguments); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for received := range signals {
		if received != Tell {
			return 128 + int(received.(syscall.Signal))
		}
		text, err := os.ReadFile(CodeFile)
		if err != nil {
			continue // not ours: whoever sends it wrote the file first
		}
		if code, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return code
		}
	}
	return 0
}

// Command pinproof-workload is what runs in containers of a virtual machine. It does what `pinproof-runtime workload` does, and is
// small: every instruction of its start is emulated.
package main

import (
	"os"

	"pinproof.dev/driver/internal/workload"
)

func main() { os.Exit(workload.Main(os.Args[1:])) }

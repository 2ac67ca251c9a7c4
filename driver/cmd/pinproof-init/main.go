// Command pinproof-init is the first process of a virtual machine: it loads the modules that the disk needs, makes the disk
// the root, and becomes the node's own first process.
package main

import (
	"fmt"
	"os"
	"time"

	"pinproof.dev/driver/internal/initrd"
)

func main() {
	err := initrd.Switch()
	fmt.Fprintf(os.Stderr, "pinproof-init: %v\n", err)
	time.Sleep(time.Hour) // the console is read, and who started the machine ends it
}

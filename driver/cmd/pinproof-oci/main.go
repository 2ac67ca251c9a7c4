// Command pinproof-oci stands before an OCI runtime and has its command line, so that containerd, Docker and Podman take it for
// one. On the way it
//
//   - writes down what the kernel would be told of a container: CPUs, NUMA nodes, huge pages, and every later update;
//   - leaves out what this host lacks: CPUs and NUMA nodes of a made machine, page sizes, privileges that nobody here has;
//
// and then becomes the real runtime, `runc` on PATH. Called by the name `pinproof-oci-plain` it only sees to the privileges:
// that is for the engine of a host whose root has no CAP_SYS_RESOURCE.
package main

import (
	"fmt"
	"os"

	"pinproof.dev/driver/internal/oci"
)

func main() {
	// Returns only if the real runtime could not be started, or must not be.
	err := oci.Main(os.Args)
	fmt.Fprintf(os.Stderr, "pinproof-oci: %v\n", err)
	os.Exit(1)
}

// Command pinproof-runtime is one node of pinproof: private namespaces, a made machine, a container runtime that
// answers and records, and at most one kubelet. It is told what to do in JSON lines on its standard input.
//
//	pinproof-runtime agent [--namespaces user|root]
//
//	pinproof-runtime inside                             the same questions, asked inside a node of a kind cluster
//	pinproof-runtime guest                              the first process of a node that is a virtual machine
//	pinproof-runtime machine QEMU ARGUMENTS             holds the process of such a machine on the host
//	pinproof-runtime workload                           what runs in the containers of such a node's pods
//
//	pinproof-runtime helper QUESTION                    what is asked of a node that belongs to somebody else
//
// The process that is started by `agent` is only a launcher: it creates the namespaces by starting itself again as `node` in
// them, hands its standard streams over, and waits. When either dies, the kernel ends the rest. A kubelet that is
// trapped is started as `trapped`, which becomes it; one that systemd starts inside a node as `trapped-for`.
package main

import (
	"flag"
	"fmt"
	"os"

	"pinproof.dev/driver/internal/control"
	"pinproof.dev/driver/internal/guest"
	"pinproof.dev/driver/internal/helper"
	"pinproof.dev/driver/internal/inside"
	"pinproof.dev/driver/internal/machine"
	"pinproof.dev/driver/internal/namespaces"
	"pinproof.dev/driver/internal/trap"
	"pinproof.dev/driver/internal/workload"
)

const usage = "usage: pinproof-runtime agent [--namespaces user|root] | inside | guest | machine COMMAND | workload | helper\n"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	switch os.Args[1] { // with arguments of their own
	case trap.Command:
		os.Exit(trap.Main(os.Args[2:]))
	case trap.ByName:
		os.Exit(trap.MainByName(os.Args[2:]))
	case "machine":
		os.Exit(machine.Main(os.Args[2:]))
	case "helper":
		os.Exit(helper.Main(os.Args[2:]))
	case "workload":
		os.Exit(workload.Main(os.Args[2:]))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	mode := flags.String("namespaces", namespaces.User, "user: map the caller to root of a new user namespace; root: the caller is root")
	_ = flags.Parse(os.Args[2:]) // ExitOnError: an error never returns
	if *mode != namespaces.User && *mode != namespaces.Root {
		fmt.Fprintf(os.Stderr, "--namespaces is %q, must be user or root\n%s", *mode, usage)
		os.Exit(2)
	}
	switch os.Args[1] {
	case "agent":
		os.Exit(namespaces.Launch(*mode))
	case "node":
		os.Exit(control.Main(*mode))
	case "inside":
		os.Exit(inside.Main())
	case "guest":
		os.Exit(guest.Main())
	case "guest-agent":
		os.Exit(guest.Agent())
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
}

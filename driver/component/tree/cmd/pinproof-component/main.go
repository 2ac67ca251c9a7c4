// Command pinproof-component carries out scenarios on the kubelet's resource managers, in process. See driver/component/README.md.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/go-logr/logr"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
)

// garbagePercent and memoryLimit: a scenario is mostly garbage and lives shortly, so collecting seldom is nearly free.
const (
	garbagePercent = 800
	memoryLimit    = 256 << 20
)

func main() {
	bench := flag.String("bench", "", "run the requests of this `FILE` instead of those on standard input, and print times")
	rounds := flag.Int("rounds", 10, "with -bench: how often the file is run")
	showVersion := flag.Bool("version", false, "print the version of Kubernetes that is linked")
	flag.Parse()
	if *showVersion {
		fmt.Println(version.Get().GitVersion)
		return
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(garbagePercent)
	debug.SetMemoryLimit(memoryLimit)
	klog.SetLogger(logr.Discard())
	registerCounters()
	if err := run(*bench, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "pinproof-component:", err)
		os.Exit(1)
	}
}

func run(bench string, rounds int) error {
	if bench != "" {
		return benchmark(bench, rounds, os.Stdout)
	}
	return serve(os.Stdin, os.Stdout)
}

// serve answers each line of in with a line on out, until in ends.
func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewReaderSize(in, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			if _, err := out.Write(append(answer(line), '\n')); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

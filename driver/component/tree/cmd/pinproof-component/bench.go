package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// benchmark runs a file of requests: as the protocol does, and by calling the managers alone.
func benchmark(path string, rounds int, out io.Writer) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var lines [][]byte
	var asked []*request
	for i, line := range bytes.Split(text, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		one, err := parse(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		lines, asked = append(lines, line), append(asked, one)
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s: no requests", path)
	}
	var answered, direct cost
	for round := 0; round < rounds; round++ {
		if err := answered.add(func() error { return answerAll(lines) }); err != nil {
			return err
		}
		if err := direct.add(func() error { return runAll(asked) }); err != nil {
			return err
		}
	}
	scenarios := float64(rounds * len(lines))
	_, err = fmt.Fprintf(out, `{"scenarios":%.0f,"driver_us":%.1f,"driver_cpu_us":%.1f,"direct_us":%.1f,"direct_cpu_us":%.1f,"ratio":%.3f}`+"\n",
		scenarios, micro(answered.wall, scenarios), micro(answered.processor, scenarios), micro(direct.wall, scenarios),
		micro(direct.processor, scenarios), float64(answered.processor)/float64(direct.processor))
	return err
}

func answerAll(lines [][]byte) error {
	for _, line := range lines {
		if _, err := io.Discard.Write(answer(line)); err != nil {
			return err
		}
	}
	return nil
}

func runAll(asked []*request) error {
	for i, one := range asked {
		if err := one.runSilently(); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return nil
}

// runSilently calls the managers, hears no hints and shows nothing.
func (r *request) runSilently() error {
	n := newNode(r, nil)
	n.heard.on = false
	if _, err := n.guarded(n.boot); err != nil {
		return err
	}
	for i := range r.Steps {
		if _, err := n.guarded(func() error { return n.carryOut(&r.Steps[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// cost is what something took. The time of the processor is the one to compare on a machine that others use too.
type cost struct{ wall, processor time.Duration }

func (c *cost) add(what func() error) error {
	begin, before := time.Now(), processorTime()
	err := what()
	c.wall += time.Since(begin)
	c.processor += processorTime() - before
	return err
}

func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func micro(total time.Duration, scenarios float64) float64 {
	return float64(total.Microseconds()) / scenarios
}

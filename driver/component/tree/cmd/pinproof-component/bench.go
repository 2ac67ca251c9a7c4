package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
)

// benchmark runs a file of requests: as the protocol does, and by calling the managers alone. Both times are per scenario.
func benchmark(path string, rounds int, out io.Writer) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var lines [][]byte
	for _, line := range bytes.Split(text, []byte("\n")) {
		if len(line) > 0 {
			lines = append(lines, line)
		}
	}
	var asked []*request
	for i, line := range lines {
		one, err := parse(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		asked = append(asked, one)
	}
	var answered, direct time.Duration
	for round := 0; round < rounds; round++ {
		begin := time.Now()
		for _, line := range lines {
			if _, err := io.Discard.Write(answer(line)); err != nil {
				return err
			}
		}
		between := time.Now()
		for i, one := range asked {
			if err := one.runSilently(); err != nil {
				return fmt.Errorf("line %d: %w", i+1, err)
			}
		}
		answered, direct = answered+between.Sub(begin), direct+time.Since(between)
	}
	scenarios := rounds * len(lines)
	_, err = fmt.Fprintf(out, `{"scenarios":%d,"driver_us":%.1f,"direct_us":%.1f,"ratio":%.3f}`+"\n",
		scenarios, perScenario(answered, scenarios), perScenario(direct, scenarios), float64(answered)/float64(direct))
	return err
}

func perScenario(total time.Duration, scenarios int) float64 {
	return float64(total.Microseconds()) / float64(scenarios)
}

// runSilently calls the managers and shows nothing.
func (r *request) runSilently() error {
	n := newNode(r, nil)
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

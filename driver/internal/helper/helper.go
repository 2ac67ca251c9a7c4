// Package helper is what pinproof runs in a pod of its own on a node that belongs to somebody else. It reads, and says what it
// read in one JSON document; nothing of it stays when the answer is given.
package helper

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"pinproof.dev/driver/internal/kubelet"
	"pinproof.dev/driver/internal/workload"
)

const (
	usage = "usage: pinproof-runtime helper machine | observe [allocatable] | state | pages | exit CODE | saved | " +
		"restart UNIT | configuration UNIT | save ROOT FILE… | change CHANGE | confirm ROOT | return ROOT UNIT | forget ROOT\n"

	patience = 10 * time.Second
	quick    = 5 * time.Millisecond
)

type reply = map[string]any

// Main answers one question and returns the code to end with.
func Main(arguments []string) int {
	body, err := answer(arguments)
	if err != nil {
		body = reply{"error": err.Error()}
	}
	if err := json.NewEncoder(os.Stdout).Encode(body); err != nil {
		return 1
	}
	return 0
}

func answer(arguments []string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	question, rest := "", []string{}
	if len(arguments) > 0 {
		question, rest = arguments[0], arguments[1:]
	}
	switch {
	case question == "machine" && len(rest) == 0:
		return machine()
	case question == "state" && len(rest) == 0:
		return state()
	case question == "observe":
		return observe(ctx, len(rest) == 1 && rest[0] == "allocatable")
	case question == "pages" && len(rest) == 0:
		return pages(ctx)
	case question == "exit" && len(rest) == 1:
		return nil, exit(ctx, rest[0])
	case question == "saved" && len(rest) == 0:
		return kept(kubelet.Root)
	}
	return disrupt(question, rest)
}

// disrupt does what only the helper of a node that may be disrupted can do.
func disrupt(question string, rest []string) (reply, error) {
	switch {
	case question == "restart" && len(rest) == 1:
		return restart(rest[0])
	case question == "configuration" && len(rest) == 1:
		return configuration(rest[0])
	case question == "save" && len(rest) > 1:
		return nil, inHost(func() error { return save(rest[0], rest[1:]) })
	case question == "change" && len(rest) == 1:
		return nil, begin(rest[0])
	case question == "confirm" && len(rest) == 1:
		return nil, inHost(func() error { return confirm(rest[0]) })
	case question == "return" && len(rest) == 2:
		return nil, putBackAll(rest[0], rest[1])
	case question == "forget" && len(rest) == 1:
		return nil, inHost(func() error { return forget(rest[0]) })
	case question == "guard" && len(rest) == 2:
		return nil, guard(rest[0], rest[1])
	}
	return nil, fmt.Errorf("%q is no question; %s", strings.Join(append([]string{question}, rest...), " "), usage)
}

// state is what the kubelet remembers, as texts; null for a file that is not there. One that cannot be read is an error.
func state() (reply, error) {
	body := reply{}
	for name, file := range map[string]string{"state": "memory_manager_state", "cpu_state": "cpu_manager_state"} {
		text, err := textOf(kubelet.Root + "/" + file)
		if err != nil {
			return nil, err
		}
		body[name] = text
	}
	return body, nil
}

// observe is the state, and what PodResources says.
func observe(ctx context.Context, allocatable bool) (reply, error) {
	body, err := state()
	if err != nil {
		return nil, err
	}
	conn, err := kubelet.Connect()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	resources, err := kubelet.Ask(ctx, conn, allocatable)
	if err != nil {
		return nil, fmt.Errorf("PodResources: %w", err)
	}
	body["pod_resources"] = resources
	return body, nil
}

// exit ends the workload of the container that this runs in, with a code; it ends with it.
func exit(ctx context.Context, code string) error {
	if _, err := strconv.Atoi(code); err != nil {
		return err
	}
	if err := os.WriteFile(workload.CodeFile, []byte(code), 0o644); err != nil {
		return err
	}
	for { // the first process of a namespace may only just have begun, and never hears of a signal that it has no handler for
		if err := syscall.Kill(1, workload.Tell); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the workload does not end: %w", ctx.Err())
		case <-time.After(quick):
		}
	}
}

// textOf is nil for a file that is not there.
func textOf(path string) (*string, error) {
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	text := string(data)
	return &text, nil
}

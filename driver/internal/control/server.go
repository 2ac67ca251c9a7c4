// Package control is the node's side of the protocol: JSON lines in, one JSON line out for each.
//
//	{"id": 7, "op": "start", ...}  →  {"id": 7, "ok": true, ...}  or  {"id": 7, "error": "text"}
//
// Requests that change something are carried out in the order they come. Those that wait or observe run beside them and
// may be answered later. Every timeout is in milliseconds and is no error: the reply has "timeout": true and the last
// thing seen.
package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"pinproof.dev/driver/internal/namespaces"
)

// reply is what a request is answered with, besides its id.
type reply = map[string]any

// An operation answers one kind of request; the raw message is the whole request.
type operation struct {
	carryOut func(*agent, context.Context, json.RawMessage) (reply, error)
	beside   bool // waits or only looks: does not hold up the requests after it
}

var operations = map[string]operation{
	"setup":           {carryOut: with((*agent).setup)},
	"machine":         {carryOut: with((*agent).machine)},
	"write":           {carryOut: with((*agent).write)},
	"read":            {carryOut: with((*agent).read)},
	"start":           {carryOut: with((*agent).start)},
	"stop":            {carryOut: with((*agent).stop), beside: true},
	"exit":            {carryOut: with((*agent).exitContainer)},
	"forget":          {carryOut: with((*agent).forget)},
	"arm":             {carryOut: with((*agent).arm)},
	"disarm":          {carryOut: with((*agent).disarm)},
	"disk":            {carryOut: with((*agent).disk)},
	"fault":           {carryOut: with((*agent).fault)},
	"forget_all":      {carryOut: with((*agent).forgetAll)},
	"calls":           {carryOut: with((*agent).calls)},
	"log":             {carryOut: with((*agent).log)},
	"observe":         {carryOut: with((*agent).observe), beside: true},
	"await_ready":     {carryOut: with((*agent).awaitReady), beside: true},
	"await_pods":      {carryOut: with((*agent).awaitPods), beside: true},
	"await_gone":      {carryOut: with((*agent).awaitGone), beside: true},
	"await_container": {carryOut: with((*agent).awaitContainer), beside: true},
}

// with decodes a request into the parameters its operation takes.
func with[P any](carryOut func(*agent, context.Context, P) (reply, error)) func(
	*agent, context.Context, json.RawMessage,
) (reply, error) {
	return func(a *agent, ctx context.Context, raw json.RawMessage) (reply, error) {
		var parameters P
		if err := json.Unmarshal(raw, &parameters); err != nil {
			return nil, fmt.Errorf("the request is not understood: %w", err)
		}
		return carryOut(a, ctx, parameters)
	}
}

// Main is the node: it makes the namespaces usable, serves standard input until it ends, and returns the exit code.
func Main(mode string) int {
	signal.Ignore(syscall.SIGINT) // see namespaces.Launch
	if err := namespaces.Enter(); err != nil {
		namespaces.Refuse(os.Stdout, err)
		return namespaces.ExitNamespaces
	}
	node := newAgent(mode)
	defer node.kill()
	if err := serve(node, operations, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// A line is a writer of whole lines, for goroutines that answer at the same time.
type line struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *line) answer(id json.RawMessage, body reply, err error) {
	message := reply{"id": id}
	if err != nil {
		message["error"] = err.Error()
		var failed interface{ Step() string }
		if errors.As(err, &failed) {
			message["step"] = failed.Step()
		}
	} else {
		message["ok"] = true
		maps.Copy(message, body)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(message); err != nil {
		text.Reset()
		_ = encoder.Encode(reply{"id": id, "error": err.Error()}) // a text and the id that was read
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.out.Write(text.Bytes()) // if nobody reads any more, the end of standard input follows
}

func serve(a *agent, operations map[string]operation, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answers := &line{out: out}
	var waiting sync.WaitGroup
	reader := bufio.NewReaderSize(in, 1<<20)
	for {
		raw, err := reader.ReadBytes('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		var request struct {
			ID json.RawMessage `json:"id"`
			Op string          `json:"op"`
		}
		if err := json.Unmarshal(raw, &request); err != nil || request.ID == nil {
			answers.answer(json.RawMessage("null"), nil, fmt.Errorf("not a request with an id: %.80s", raw))
			continue
		}
		if request.Op == "shutdown" {
			a.kill()
			cancel()
			waiting.Wait() // no request stays without its reply
			answers.answer(request.ID, nil, nil)
			return nil
		}
		op, known := operations[request.Op]
		if !known {
			answers.answer(request.ID, nil, fmt.Errorf("unknown operation %q", request.Op))
			continue
		}
		act := func() {
			body, err := op.carryOut(a, ctx, raw)
			answers.answer(request.ID, body, err)
		}
		if op.beside {
			waiting.Go(act)
		} else {
			act()
		}
	}
}

package inside

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
)

// An operation answers one kind of request; the raw message is the whole request.
type operation func(*node, context.Context, json.RawMessage) (reply, error)

var operations = map[string]operation{
	"write":           with((*node).write),
	"read":            with((*node).read),
	"start":           with((*node).start),
	"stop":            with((*node).stop),
	"exit":            with((*node).exit),
	"log":             with((*node).words),
	"purge":           with((*node).purge),
	"observe":         with((*node).observe),
	"arm":             with((*node).arm),
	"disarm":          with((*node).disarm),
	"disk":            with((*node).disk),
	"await_ready":     with((*node).awaitReady),
	"await_pods":      with((*node).awaitPods),
	"await_gone":      with((*node).awaitGone),
	"await_container": with((*node).awaitContainer),
}

// with decodes a request into the parameters its operation takes.
func with[P any](carryOut func(*node, context.Context, P) (reply, error)) operation {
	return func(n *node, ctx context.Context, raw json.RawMessage) (reply, error) {
		var parameters P
		if err := json.Unmarshal(raw, &parameters); err != nil {
			return nil, fmt.Errorf("the request is not understood: %w", err)
		}
		return carryOut(n, ctx, parameters)
	}
}

// Main serves standard input until it ends, one request after the other, and returns the exit code.
func Main() int {
	n, err := newNode()
	if err == nil {
		err = serve(n, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(n *node, in io.Reader, out io.Writer) error {
	reader := bufio.NewReaderSize(in, 1<<20)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		raw, err := reader.ReadBytes('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := encoder.Encode(answer(n, raw)); err != nil {
			return err
		}
	}
}

func answer(n *node, raw []byte) reply {
	var request struct {
		ID json.RawMessage `json:"id"`
		Op string          `json:"op"`
	}
	if err := json.Unmarshal(raw, &request); err != nil || request.ID == nil {
		return reply{"id": nil, "error": fmt.Sprintf("not a request with an id: %.80s", raw)}
	}
	op, known := operations[request.Op]
	if !known {
		return reply{"id": request.ID, "error": fmt.Sprintf("unknown operation %q", request.Op)}
	}
	body, err := op(n, context.Background(), raw)
	if err != nil {
		return reply{"id": request.ID, "error": err.Error()}
	}
	message := reply{"id": request.ID, "ok": true}
	maps.Copy(message, body)
	return message
}

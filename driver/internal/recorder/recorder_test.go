package recorder

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
)

func call(ctx context.Context, r *Recorder, method string, answer error) error {
	_, err := r.Intercept(ctx, "request", &grpc.UnaryServerInfo{FullMethod: "/runtime.v1.RuntimeService/" + method},
		func(context.Context, any) (any, error) { return nil, answer })
	return err
}

func newRecorder() *Recorder { return New(func(any) Facts { return Facts{"uid": "u"} }) }

// Calls are numbered in order, keep their facts and their error, and can be read from any number on.
func TestCallsAreNoted(t *testing.T) {
	r := newRecorder()
	_ = call(t.Context(), r, "CreateContainer", nil)
	_ = call(t.Context(), r, "StartContainer", errors.New("no"))
	calls, next := r.Since(1)

	if next != 2 || len(calls) != 1 || calls[0].N != 1 || calls[0].Method != "StartContainer" || calls[0].Error != "no" {
		t.Errorf("want call 1, StartContainer that failed with no, and next 2, got %+v and %d", calls, next)
	}
}

// The oldest calls are dropped when there are too many; the numbers of the others stay.
func TestOldCallsAreDropped(t *testing.T) {
	r := newRecorder()
	for range kept + 1 {
		_ = call(t.Context(), r, "Status", nil)
	}
	calls, next := r.Since(0)

	if next != kept+1 || len(calls) != kept/2+1 || calls[0].N != kept/2 {
		t.Errorf("want calls %d to %d, got %d from %d", kept/2, kept, len(calls), calls[0].N)
	}
}

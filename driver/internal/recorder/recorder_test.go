package recorder

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
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

// A failing method fails with the message until it may succeed again.
func TestFail(t *testing.T) {
	r := newRecorder()
	r.Faults.Fail("StartContainer", "broken")
	broken := call(t.Context(), r, "StartContainer", nil)
	r.Faults.Fail("StartContainer", "")
	repaired := call(t.Context(), r, "StartContainer", nil)

	if status.Convert(broken).Message() != "broken" || repaired != nil {
		t.Errorf("want broken and then nothing, got %v and %v", broken, repaired)
	}
}

// A held call waits for its release; one that is given up answers with the caller's deadline.
func TestHold(t *testing.T) {
	r := newRecorder()
	r.Faults.Hold("StartContainer")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	givenUp := call(ctx, r, "StartContainer", nil)
	held := make(chan error)
	go func() { held <- call(context.Background(), r, "StartContainer", nil) }()
	r.Faults.Release("StartContainer")

	if status.Code(givenUp) != codes.DeadlineExceeded {
		t.Errorf("want the deadline, got %v", givenUp)
	}
	if err := <-held; err != nil {
		t.Errorf("want success after the release, got %v", err)
	}
}

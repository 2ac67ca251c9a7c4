package recorder

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Faults are the methods that at present do not simply succeed. The zero value has none.
type Faults struct {
	mu     sync.Mutex
	holds  map[string]chan struct{}
	errors map[string]string
}

// Hold lets calls of a method wait until Release or the caller's deadline.
func (f *Faults) Hold(method string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.holds == nil {
		f.holds = map[string]chan struct{}{}
	}
	if f.holds[method] == nil {
		f.holds[method] = make(chan struct{})
	}
}

// Release lets the calls of a method that wait, and later ones, go on.
func (f *Faults) Release(method string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if gate := f.holds[method]; gate != nil {
		close(gate)
		delete(f.holds, method)
	}
}

// Fail makes calls of a method fail with a message; with the empty message they succeed again.
func (f *Faults) Fail(method, message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.errors == nil {
		f.errors = map[string]string{}
	}
	if message == "" {
		delete(f.errors, method)
		return
	}
	f.errors[method] = message
}

// pass waits as long as the method is held and returns the error it must fail with.
func (f *Faults) pass(ctx context.Context, method string) error {
	f.mu.Lock()
	gate, message := f.holds[method], f.errors[method]
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	if message != "" {
		return status.Error(codes.Unknown, message)
	}
	return nil
}

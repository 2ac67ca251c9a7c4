// Package recorder notes every call a kubelet makes to its container runtime, and can let some of them go wrong.
package recorder

import (
	"context"
	"path"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// kept bounds the memory of a node that serves for days; the oldest calls are dropped first.
const kept = 200_000

// A Call is one request of the kubelet and what became of it.
type Call struct {
	N       int    `json:"n"`       // from 0, in the order the calls arrived
	Micros  int64  `json:"t_us"`    // microseconds since the node began
	Method  string `json:"method"`  // CreateContainer
	Request Facts  `json:"request"` // never nil
	Error   string `json:"error"`   // "" if it succeeded or has not been answered
}

// Facts is what a test may want to know of a request.
type Facts map[string]any

// Recorder is safe for concurrent use.
type Recorder struct {
	Faults Faults

	facts func(request any) Facts
	begin time.Time
	mu    sync.Mutex
	first int // number of calls[0]
	calls []Call
}

// New returns a recorder that asks facts what to note of a request.
func New(facts func(request any) Facts) *Recorder {
	return &Recorder{facts: facts, begin: time.Now()}
}

// Intercept notes the call, then carries it out unless a fault is set on its method.
func (r *Recorder) Intercept(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (any, error) {
	method := path.Base(info.FullMethod)
	facts := r.facts(request) // before the call: it may remove what they speak of
	n := r.Note(method, facts)
	reply, err := r.Faults.carryOut(ctx, method, facts, func() (any, error) { return handle(ctx, request) })
	if err != nil {
		r.fail(n, err)
	}
	return reply, err
}

// Since returns the calls from number n on, and the number the next call will have.
func (r *Recorder) Since(n int) ([]Call, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.first + len(r.calls)
	from := min(max(n, r.first), next)
	return append([]Call{}, r.calls[from-r.first:]...), next
}

// Note takes down a call, or something else that a kubelet does, and returns its number.
func (r *Recorder) Note(method string, facts Facts) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.calls) == kept {
		r.calls = append([]Call{}, r.calls[kept/2:]...)
		r.first += kept / 2
	}
	n := r.first + len(r.calls)
	r.calls = append(r.calls, Call{N: n, Micros: time.Since(r.begin).Microseconds(), Method: method, Request: facts})
	return n
}

func (r *Recorder) fail(n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n >= r.first {
		r.calls[n-r.first].Error = err.Error()
	}
}

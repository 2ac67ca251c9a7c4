package recorder

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// How calls can go wrong.
const (
	Fails = "fails" // with Message; nothing is done
	Late  = "late"  // it is done at once, and answered after Delay
	Hangs = "hangs" // nothing is done, and no answer comes until EndHangs
)

// Message is what a kubelet hears of a call that fails.
const Message = "pinproof: this call fails"

// Delay is how late an answer is.
const Delay = 2 * time.Second

// A Point is a call at which the kubelet can be killed.
type Point struct {
	Method string
	Number int  // from 1, counted since it was armed
	Done   bool // the runtime has done it; else it has not
}

// Faults are the methods that at present do not simply succeed. The zero value has none.
type Faults struct {
	mu      sync.Mutex
	set     map[string]fault
	hung    chan struct{} // closed when what hangs is to end
	hanging []Facts       // of the calls that hang

	armed   Point // Number 0: none
	count   int
	reached bool
	kill    func()
}

type fault struct {
	how   string
	times int // that are left
}

// Set lets the next calls of a method go wrong; a method that hangs does so for all of them. It replaces what was set.
func (f *Faults) Set(method, how string, times int) error {
	if !slices.Contains([]string{Fails, Late, Hangs}, how) || method == "" || times < 1 {
		return fmt.Errorf("no call of %q can be %q %d times", method, how, times)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.set == nil {
		f.set = map[string]fault{}
	}
	f.set[method] = fault{how, times}
	return nil
}

// EndHangs ends what hangs: those calls fail, later ones do not hang.
func (f *Faults) EndHangs() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for method, each := range f.set {
		if each.how == Hangs {
			delete(f.set, method)
		}
	}
	if f.hung != nil {
		close(f.hung)
	}
	f.hung, f.hanging = nil, nil
}

// Hanging returns the facts of the calls that hang.
func (f *Faults) Hanging() []Facts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.hanging)
}

// Arm lets the kubelet be killed at a call; calls of the method are counted anew.
func (f *Faults) Arm(point Point, kill func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed, f.count, f.reached, f.kill = point, 0, false, kill
}

// Disarm reports whether the kubelet is killed at the call, which may be about to happen, and else lets it live.
func (f *Faults) Disarm() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	reached := f.reached
	f.armed, f.reached = Point{}, false
	return reached
}

// carryOut has the call done, or not, as the faults of its method say.
func (f *Faults) carryOut(ctx context.Context, method string, facts Facts, do func() (any, error)) (any, error) {
	point, kill := f.arrives(method)
	if kill == nil {
		return f.faulty(ctx, method, facts, do)
	}
	if point.Done {
		_, _ = do() // nobody hears what came of it
	}
	kill()
	<-ctx.Done() // the kubelet's end of the connection is closed
	return nil, status.FromContextError(ctx.Err()).Err()
}

// arrives counts a call; at the one that is armed, it returns by what to kill the kubelet.
func (f *Faults) arrives(method string) (Point, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.armed.Number == 0 || f.armed.Method != method {
		return Point{}, nil
	}
	f.count++
	if f.count != f.armed.Number {
		return Point{}, nil
	}
	point := f.armed
	f.armed, f.reached = Point{}, true
	return point, f.kill
}

func (f *Faults) faulty(ctx context.Context, method string, facts Facts, do func() (any, error)) (any, error) {
	switch f.next(method) {
	case Fails:
		return nil, status.Error(codes.Unknown, Message)
	case Late:
		reply, err := do()
		select {
		case <-time.After(Delay):
		case <-ctx.Done():
		}
		return reply, err
	case Hangs:
		return nil, f.hang(ctx, facts)
	default:
		return do()
	}
}

// next is how a call of the method goes wrong, "" if it does not.
func (f *Faults) next(method string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, set := f.set[method]
	if !set {
		return ""
	}
	if found.how != Hangs {
		found.times--
		f.set[method] = found
	}
	if found.times == 0 {
		delete(f.set, method)
	}
	return found.how
}

// hang waits for the end of all that hangs, or until the caller gives up.
func (f *Faults) hang(ctx context.Context, facts Facts) error {
	f.mu.Lock()
	if f.hung == nil {
		f.hung = make(chan struct{})
	}
	end := f.hung
	f.hanging = append(f.hanging, facts)
	f.mu.Unlock()
	select {
	case <-end:
		return status.Error(codes.Unavailable, "pinproof: the call hung")
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

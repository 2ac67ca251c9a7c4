package recorder

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// done is how often a call is carried out.
func done(r *Recorder, ctx context.Context, method string) (int, error) {
	times := 0
	_, err := r.Faults.carryOut(ctx, method, Facts{"uid": "u"}, func() (any, error) { times++; return nil, nil })
	return times, err
}

// So many calls of the method fail and do nothing; others, and later ones, succeed.
func TestCallsFail(t *testing.T) {
	r := newRecorder()
	if err := r.Faults.Set("StartContainer", Fails, 2); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 0, 1} {
		times, err := done(r, t.Context(), "StartContainer")
		if times != want || (err == nil) != (want == 1) {
			t.Errorf("call %d: want it done %d times, got %d and %v", i+1, want, times, err)
		}
		if err != nil && (status.Code(err) != codes.Unknown || status.Convert(err).Message() != Message) {
			t.Errorf("call %d: got %v", i+1, err)
		}
	}
	if times, err := done(r, t.Context(), "StopContainer"); times != 1 || err != nil {
		t.Errorf("another method: done %d times, %v", times, err)
	}
}

// A call that is late is done, and answered after the delay.
func TestCallsAreLate(t *testing.T) {
	r := newRecorder()
	if err := r.Faults.Set("StartContainer", Late, 1); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	times, err := done(r, t.Context(), "StartContainer")

	if late := time.Since(begin); times != 1 || err != nil || late < Delay {
		t.Errorf("done %d times, %v, after %v", times, err, late)
	}
}

// Every call of a method that hangs does, until the end of it; then none.
func TestCallsHang(t *testing.T) {
	r := newRecorder()
	if err := r.Faults.Set("StartContainer", Hangs, 1); err != nil {
		t.Fatal(err)
	}
	answers := make(chan error)
	for range 2 {
		go func() {
			times, err := done(r, context.Background(), "StartContainer")
			if times != 0 {
				t.Error("a call that hung was done")
			}
			answers <- err
		}()
	}
	for len(r.Faults.Hanging()) < 2 {
		time.Sleep(time.Millisecond)
	}
	if facts := r.Faults.Hanging()[0]; facts["uid"] != "u" {
		t.Errorf("about whom: %v", facts)
	}
	r.Faults.EndHangs()
	for range 2 {
		if err := <-answers; status.Code(err) != codes.Unavailable {
			t.Errorf("want unavailable, got %v", err)
		}
	}
	if times, err := done(r, t.Context(), "StartContainer"); times != 1 || err != nil || len(r.Faults.Hanging()) != 0 {
		t.Errorf("after the end: done %d times, %v, hanging %v", times, err, r.Faults.Hanging())
	}
}

// The kubelet is killed at the call that is armed and at no other; before: it is not done, after: it is; no answer comes.
func TestKillAtCall(t *testing.T) {
	for _, after := range []bool{false, true} {
		r, killed := newRecorder(), 0
		ctx, cancel := context.WithCancel(t.Context())
		r.Faults.Arm(Point{Method: "StartContainer", Number: 2, Done: after}, func() { killed++; cancel() })
		var did []int
		for range 3 {
			times, _ := done(r, ctx, "StartContainer")
			did = append(did, times)
		}
		want := 0
		if after {
			want = 1
		}
		if killed != 1 || did[0] != 1 || did[1] != want || !r.Faults.Disarm() {
			t.Errorf("after %v: killed %d times, done %v", after, killed, did)
		}
	}
}

// A point that is not reached kills nobody, and what is disarmed never does.
func TestDisarmedBeforeTheCall(t *testing.T) {
	r := newRecorder()
	r.Faults.Arm(Point{Method: "StartContainer", Number: 1}, func() { t.Error("killed") })
	other, _ := done(r, t.Context(), "StopContainer")
	reached := r.Faults.Disarm()
	times, _ := done(r, t.Context(), "StartContainer")

	if other != 1 || reached || times != 1 {
		t.Errorf("reached %v, done %d and %d times", reached, other, times)
	}
}

package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pinproof.dev/driver/internal/kubelet"
)

// A rhythm is how often to ask a kubelet that does not tell by itself; the interval grows from the first to the second.
type rhythm struct{ quick, slow time.Duration }

var usual = rhythm{2 * time.Millisecond, 10 * time.Millisecond}

// await repeats look until it is satisfied, the kubelet has ended, or the time is up. Between two looks it waits a little, or
// until the runtime's containers change.
func (a *agent) await(ctx context.Context, timeout millis, look func(context.Context) (reply, bool)) (reply, error) {
	process := a.current()
	if process == nil {
		return nil, errors.New("no kubelet has been started")
	}
	ctx, cancel := context.WithTimeout(ctx, timeout.duration())
	defer cancel()
	var seen reply
	for pause := a.rhythm.quick; ; pause = min(pause*5/4, a.rhythm.slow) {
		changed := a.has.Changed() // before the look: what changes during it is not missed
		body, satisfied := look(ctx)
		if satisfied {
			return body, nil
		}
		if body != nil {
			seen = body
		}
		select {
		case <-process.Done():
			exit, _ := process.Exit()
			return exited(exit), nil
		case <-ctx.Done():
			return timedOut(seen), nil
		case <-changed:
		case <-time.After(pause):
		}
	}
}

func timedOut(seen reply) reply {
	if seen == nil {
		seen = reply{}
	}
	seen["timeout"] = true
	return seen
}

type awaitRequest struct {
	Timeout millis `json:"timeout_ms"`
}

func (a *agent) awaitReady(ctx context.Context, r awaitRequest) (reply, error) {
	return a.await(ctx, r.Timeout, func(ctx context.Context) (reply, bool) {
		if !kubelet.SocketMade() {
			return reply{"ready": false, "seen": "the device manager does not listen yet"}, false
		}
		if _, err := kubelet.Pods(ctx); err != nil {
			return reply{"ready": false, "seen": err.Error()}, false
		}
		return reply{"ready": true}, true
	})
}

type awaitPodsRequest struct {
	Pods    map[string][]string `json:"pods"`
	Timeout millis              `json:"timeout_ms"`
}

type podState struct {
	State   string `json:"state"` // started, hangs, rejected or pending
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func (a *agent) awaitPods(ctx context.Context, r awaitPodsRequest) (reply, error) {
	return a.await(ctx, r.Timeout, func(ctx context.Context) (reply, bool) {
		known, err := kubelet.Pods(ctx)
		if err != nil {
			return nil, false
		}
		list, err := a.has.List(ctx, false)
		if err != nil {
			return nil, false
		}
		states, satisfied := map[string]podState{}, true
		for uid, containers := range r.Pods {
			states[uid] = a.podState(known[uid], uid, containers, list)
			satisfied = satisfied && states[uid].State != "pending"
		}
		return reply{"pods": states}, satisfied
	})
}

func (a *agent) podState(known kubelet.PodStatus, uid string, containers []string, list []Container) podState {
	state := podState{State: "pending", Reason: known.Reason, Message: known.Message}
	switch {
	case known.Rejected():
		state.State = "rejected"
	case known.Processed && started(list, uid, containers):
		state.State = "started"
	case known.Processed && slices.Contains(a.hanging(), uid):
		state.State = "hangs"
	}
	return state
}

// started reports whether every one of the containers runs or has run.
func started(list []Container, uid string, names []string) bool {
	for _, name := range names {
		if newest := latest(list, uid, name, 0); newest == nil || newest.State == "created" {
			return false
		}
	}
	return true
}

// latest is the newest attempt at a container, this or a later one; nil if there is none.
func latest(list []Container, uid, name string, attempt uint32) *Container {
	for i := len(list) - 1; i >= 0; i-- {
		if c := &list[i]; c.UID == uid && c.Container == name && c.Attempt >= attempt {
			return c
		}
	}
	return nil
}

type awaitGoneRequest struct {
	UIDs    []string `json:"uids"`
	Timeout millis   `json:"timeout_ms"`
}

func (a *agent) awaitGone(ctx context.Context, r awaitGoneRequest) (reply, error) {
	return a.await(ctx, r.Timeout, func(ctx context.Context) (reply, bool) {
		known, err := kubelet.Pods(ctx)
		if err != nil {
			return nil, false
		}
		left := []string{}
		for _, uid := range r.UIDs {
			if _, listed := known[uid]; listed {
				left = append(left, uid)
			}
		}
		return reply{"left": left}, len(left) == 0
	})
}

type awaitContainerRequest struct {
	UID       string `json:"uid"`
	Container string `json:"container"`
	State     string `json:"state"`
	Attempt   uint32 `json:"attempt"` // this or a later one: a kubelet may need several
	Timeout   millis `json:"timeout_ms"`
}

func (a *agent) awaitContainer(ctx context.Context, r awaitContainerRequest) (reply, error) {
	if r.State != "running" && r.State != "exited" && r.State != "absent" {
		return nil, fmt.Errorf("state is %q, must be running, exited or absent", r.State)
	}
	return a.await(ctx, r.Timeout, func(ctx context.Context) (reply, bool) {
		list, err := a.has.List(ctx, false)
		if err != nil {
			return nil, false
		}
		state := "absent"
		if newest := latest(list, r.UID, r.Container, r.Attempt); newest != nil {
			state = newest.State
		}
		if state != r.State && slices.Contains(a.hanging(), r.UID) {
			return reply{"state": state, "hangs": true}, true
		}
		return reply{"state": state}, state == r.State
	})
}

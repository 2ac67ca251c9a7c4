package inside

import (
	"context"
	"os"
	"time"

	"pinproof.dev/driver/internal/containerd"
)

// await repeats look until it is satisfied, the kubelet has ended, or the time is up.
func (n *node) await(ctx context.Context, timeout millis, look func(context.Context) (reply, bool)) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout.duration())
	defer cancel()
	seen := reply{}
	for pause := quick; ; pause = min(pause*5/4, slow) {
		body, satisfied := look(ctx)
		if satisfied {
			return body, nil
		}
		if body != nil {
			seen = body
		}
		if !n.running() {
			return n.exited(), nil
		}
		select {
		case <-ctx.Done():
			seen["timeout"] = true
			return seen, nil
		case <-time.After(pause): // between two looks at states that nobody announces
		}
	}
}

type awaitRequest struct {
	Timeout millis `json:"timeout_ms"`
}

// awaitReady waits for the device manager, which listens last, after the CPU and memory managers, and for the first word of the
// API server, which a kubelet asks for a second after its start.
func (n *node) awaitReady(ctx context.Context, r awaitRequest) (reply, error) {
	return n.await(ctx, r.Timeout, func(ctx context.Context) (reply, bool) {
		if _, err := os.Stat(deviceSocket); err != nil {
			return reply{"ready": false, "seen": "the device manager does not listen yet"}, false
		}
		if err := healthy(ctx); err != nil {
			return reply{"ready": false, "seen": err.Error()}, false
		}
		n.log.read()
		if !n.log.hasHeard() {
			return reply{"ready": false, "seen": "the kubelet has not heard from the API server"}, false
		}
		return reply{"ready": true}, true
	})
}

type awaitPodsRequest struct {
	Pods    map[string][]string `json:"pods"`
	Timeout millis              `json:"timeout_ms"`
}

// awaitPods waits until this kubelet has admitted each pod and each of the containers runs or has run. Which pods it rejects
// is told to the API server, and not looked for here.
func (n *node) awaitPods(ctx context.Context, r awaitPodsRequest) (reply, error) {
	return n.await(ctx, r.Timeout, func(ctx context.Context) (reply, bool) {
		n.log.read()
		list, err := n.runtime.Containers(ctx)
		if err != nil {
			return reply{"seen": err.Error()}, false
		}
		states, satisfied := map[string]string{}, true
		for uid, containers := range r.Pods {
			states[uid] = "pending"
			if n.log.isSynced(uid) && started(list, uid, containers) {
				states[uid] = "started"
			}
			satisfied = satisfied && states[uid] == "started"
		}
		return reply{"pods": states}, satisfied
	})
}

func started(list []containerd.Container, uid string, names []string) bool {
	for _, name := range names {
		if newest := containerd.Latest(list, uid, name); newest == nil || newest.State == "created" {
			return false
		}
	}
	return true
}

type awaitGoneRequest struct {
	Pods    map[string]string `json:"pods"` // UID → NAMESPACE/NAME
	Timeout millis            `json:"timeout_ms"`
}

// awaitGone waits until the kubelet has heard that the pods are no more, and none of their containers runs.
func (n *node) awaitGone(ctx context.Context, r awaitGoneRequest) (reply, error) {
	return n.await(ctx, r.Timeout, func(ctx context.Context) (reply, bool) {
		n.log.read()
		list, err := n.runtime.Containers(ctx)
		if err != nil {
			return reply{"seen": err.Error()}, false
		}
		left := map[string]string{}
		for uid, name := range r.Pods {
			if !n.log.isGone(name) {
				left[name] = "the kubelet has it"
			}
			for _, c := range list {
				if c.UID == uid && c.State == "running" {
					left[name] = c.Container + " runs"
				}
			}
		}
		return reply{"left": left}, len(left) == 0
	})
}

type awaitContainerRequest struct {
	UID       string `json:"uid"`
	Container string `json:"container"`
	State     string `json:"state"`
	Attempt   uint32 `json:"attempt"`
	Timeout   millis `json:"timeout_ms"`
}

func (n *node) awaitContainer(ctx context.Context, r awaitContainerRequest) (reply, error) {
	return n.await(ctx, r.Timeout, func(ctx context.Context) (reply, bool) {
		list, err := n.runtime.Containers(ctx)
		if err != nil {
			return reply{"seen": err.Error()}, false
		}
		state := "absent"
		for _, c := range list {
			if c.UID == r.UID && c.Container == r.Container && c.Attempt == r.Attempt {
				state = c.State
			}
		}
		return reply{"state": state}, state == r.State
	})
}

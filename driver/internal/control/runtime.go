package control

import (
	"context"

	"pinproof.dev/driver/internal/store"
)

// A Container is one attempt at one, as the runtime has it.
type Container struct {
	UID       string `json:"uid"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Attempt   uint32 `json:"attempt"`
	Mems      string `json:"mems"`
	CPUs      string `json:"cpus"`
	State     string `json:"state"`
	ExitCode  *int32 `json:"exit_code"`
}

// containers are those that a node's container runtime has.
type containers interface {
	// List is all of them, the newest attempt last; what the runtime was told of them only if everything is wanted.
	List(ctx context.Context, everything bool) ([]Container, error)
	// Exit lets a running container end with a code.
	Exit(ctx context.Context, uid, name string, code int32) error
	// Forget removes what pods that are gone have left.
	Forget(ctx context.Context, uids []string) error
	// Changed is closed when there is something new; nil where nobody tells.
	Changed() <-chan struct{}
}

// recorded are the containers of the recording runtime.
type recorded struct{ *store.Store }

func (r recorded) List(context.Context, bool) ([]Container, error) {
	list := []Container{}
	for _, c := range r.Containers(func(store.Container) bool { return true }) {
		pod := c.Sandbox.Config.GetMetadata()
		seen := Container{
			UID: pod.GetUid(), Namespace: pod.GetNamespace(), Pod: pod.GetName(), Container: c.Name(),
			Attempt: c.Config.GetMetadata().GetAttempt(), Mems: c.Resources.GetCpusetMems(),
			CPUs: c.Resources.GetCpusetCpus(), State: store.StateName(c.State),
		}
		if seen.State == "exited" {
			code := c.ExitCode
			seen.ExitCode = &code
		}
		list = append(list, seen)
	}
	return list, nil
}

func (r recorded) Exit(_ context.Context, uid, name string, code int32) error {
	return r.Store.Exit(uid, name, code)
}

func (r recorded) Forget(_ context.Context, uids []string) error {
	for _, uid := range uids {
		r.Store.Forget(uid)
	}
	return nil
}

type exitRequest struct {
	UID       string `json:"uid"`
	Container string `json:"container"`
	Code      int32  `json:"code"`
}

func (a *agent) exitContainer(ctx context.Context, r exitRequest) (reply, error) {
	return nil, a.has.Exit(ctx, r.UID, r.Container, r.Code)
}

type forgetRequest struct {
	UIDs []string `json:"uids"`
}

// forget removes what pods that are gone have left in the runtime.
func (a *agent) forget(ctx context.Context, r forgetRequest) (reply, error) {
	return nil, a.has.Forget(ctx, r.UIDs)
}

type callsRequest struct {
	Since int `json:"since"`
}

func (a *agent) calls(_ context.Context, r callsRequest) (reply, error) {
	calls, next := a.cri.Since(r.Since)
	return reply{"calls": calls, "next": next}, nil
}

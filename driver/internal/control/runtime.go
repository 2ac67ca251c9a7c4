package control

import (
	"context"
	"errors"
)

type exitRequest struct {
	UID       string `json:"uid"`
	Container string `json:"container"`
	Code      int32  `json:"code"`
}

func (a *agent) exitContainer(_ context.Context, r exitRequest) (reply, error) {
	return nil, a.store.Exit(r.UID, r.Container, r.Code)
}

type forgetRequest struct {
	UIDs []string `json:"uids"`
}

// forget removes what pods that are gone have left in the runtime.
func (a *agent) forget(_ context.Context, r forgetRequest) (reply, error) {
	for _, uid := range r.UIDs {
		a.store.Forget(uid)
	}
	return nil, nil
}

type callsRequest struct {
	Since int `json:"since"`
}

func (a *agent) calls(_ context.Context, r callsRequest) (reply, error) {
	calls, next := a.cri.Since(r.Since)
	return reply{"calls": calls, "next": next}, nil
}

type holdRequest struct {
	Method  string `json:"method"`
	Release bool   `json:"release"`
}

func (a *agent) hold(_ context.Context, r holdRequest) (reply, error) {
	if r.Method == "" {
		return nil, errors.New("hold which method?")
	}
	if r.Release {
		a.cri.Faults.Release(r.Method)
	} else {
		a.cri.Faults.Hold(r.Method)
	}
	return nil, nil
}

type failRequest struct {
	Method  string `json:"method"`
	Message string `json:"message"` // "": succeed again
}

func (a *agent) fail(_ context.Context, r failRequest) (reply, error) {
	if r.Method == "" {
		return nil, errors.New("fail which method?")
	}
	a.cri.Faults.Fail(r.Method, r.Message)
	return nil, nil
}

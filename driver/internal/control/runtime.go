package control

import "context"

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

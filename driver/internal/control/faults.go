package control

import (
	"context"
	"errors"
	"fmt"

	"pinproof.dev/driver/internal/kubelet"
	"pinproof.dev/driver/internal/recorder"
	"pinproof.dev/driver/internal/trap"
)

// stateFiles are the checkpoints of the two managers, in the kubelet's directory.
var stateFiles = []string{"memory_manager_state", "cpu_manager_state"}

// traps are those that a kubelet is started with.
func (a *agent) traps(which string) (*kubelet.Traps, error) {
	switch which {
	case "":
		return nil, nil
	case "renames", "opens":
		return &kubelet.Traps{Opens: which == "opens", Decide: a.files.Decide}, nil
	default:
		return nil, fmt.Errorf("traps is %q, must be renames or opens", which)
	}
}

type armRequest struct {
	Write  string `json:"write"` // a state file, or
	Call   string `json:"call"`  // a method
	Number int    `json:"number"`
	Moment string `json:"moment"`
}

// arm lets the kubelet be killed at a point; what leads to it is counted from now on.
func (a *agent) arm(_ context.Context, r armRequest) (reply, error) {
	if r.Write != "" {
		return nil, a.files.Arm(trap.Write{File: r.Write, Number: r.Number, Moment: r.Moment})
	}
	if r.Call == "" || r.Number < 1 || (r.Moment != trap.Before && r.Moment != trap.After) {
		return nil, errors.New("arm which write or call?")
	}
	a.cri.Faults.Arm(recorder.Point{Method: r.Call, Number: r.Number, Done: r.Moment == trap.After}, a.kill)
	return nil, nil
}

// disarm says whether the point was reached; if so, the kubelet has ended when it answers.
func (a *agent) disarm(context.Context, struct{}) (reply, error) {
	write, call := a.files.Disarm(), a.cri.Faults.Disarm()
	if !write && !call {
		return reply{"reached": false}, nil
	}
	process := a.current()
	<-process.Done()
	exit, _ := process.Exit()
	body := exited(exit)
	body["reached"] = true
	return body, nil
}

type diskRequest struct {
	File  string `json:"file"`
	State string `json:"state"`
}

// disk says on what disk a state file is from now on; for a kubelet that is trapped.
func (a *agent) disk(_ context.Context, r diskRequest) (reply, error) {
	return nil, a.files.Disk(r.File, r.State)
}

type faultRequest struct {
	Method string `json:"method"`
	How    string `json:"how"`
	Times  int    `json:"times"`
}

// fault lets the next calls of a method go wrong.
func (a *agent) fault(_ context.Context, r faultRequest) (reply, error) {
	return nil, a.cri.Faults.Set(r.Method, r.How, r.Times)
}

// forgetAll is a container runtime that restarts and knows nothing any more.
func (a *agent) forgetAll(context.Context, struct{}) (reply, error) {
	a.store.ForgetAll()
	return nil, nil
}

// hanging are the UIDs of pods about which a call hangs.
func (a *agent) hanging() []string {
	uids := []string{}
	for _, facts := range a.cri.Faults.Hanging() {
		if uid, known := facts["uid"].(string); known {
			uids = append(uids, uid)
		}
	}
	return uids
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// request is a scenario and what to show of it.
type request struct {
	ID       json.RawMessage `json:"id"`
	Machine  json.RawMessage `json:"machine"`
	Kubelet  json.RawMessage `json:"kubelet"`
	Steps    []step          `json:"steps"`
	Show     []string        `json:"show"`
	Repeat   int             `json:"repeat"`
	Shuffle  bool            `json:"shuffle"`
	Seed     int64           `json:"seed"`
	From     *snapshot       `json:"from"`
	Snapshot bool            `json:"snapshot"`
}

// step has exactly one field set.
type step struct {
	Admit   *podDocument     `json:"admit"`
	Remove  *string          `json:"remove"`
	Exit    *exitDocument    `json:"exit"`
	Restart *restartDocument `json:"restart"`
	Crash   *crashDocument   `json:"crash"`
	Disk    *diskDocument    `json:"disk"`
	Runtime *runtimeDocument `json:"runtime"`
}

// crashDocument is a step in the middle of which the kubelet is killed.
type crashDocument struct {
	During step `json:"during"`
	At     struct {
		Write *writePoint `json:"write"`
		Call  *callPoint  `json:"call"`
	} `json:"at"`
}

// writePoint is a moment of the n-th write of a state file in the step.
type writePoint struct {
	File   string `json:"file"`
	Number int    `json:"number"`
	Moment string `json:"moment"`
}

// callPoint is a moment of the n-th call of a method of the runtime in the step.
type callPoint struct {
	Method string `json:"method"`
	Number int    `json:"number"`
	Moment string `json:"moment"`
}

// diskDocument is about one state file or, with no name, about both.
type diskDocument struct {
	State string `json:"state"`
	File  string `json:"file"`
}

// runtimeDocument: either the runtime forgets all, or the next calls of a method do not simply succeed.
type runtimeDocument struct {
	Forgets bool   `json:"forgets"`
	Call    string `json:"call"`
	How     string `json:"how"`
	Times   int    `json:"times"`
}

type podDocument struct {
	Name          string              `json:"name"`
	RestartPolicy string              `json:"restartPolicy"`
	Requests      map[string]string   `json:"requests"`
	Limits        map[string]string   `json:"limits"`
	Hints         hintsDocument       `json:"hints"`
	Init          []containerDocument `json:"init"`
	Containers    []containerDocument `json:"containers"`
}

type containerDocument struct {
	Name     string            `json:"name"`
	Sidecar  bool              `json:"sidecar"`
	Requests map[string]string `json:"requests"`
	Limits   map[string]string `json:"limits"`
	Hints    hintsDocument     `json:"hints"`
}

// hintsDocument is what the other hint provider answers: resource → hints; a nil slice is no preference.
type hintsDocument map[string][]hintDocument

type hintDocument struct {
	mask      []int // nil: any
	preferred bool
}

// UnmarshalJSON reads [[0,1],true] or [null,true].
func (h *hintDocument) UnmarshalJSON(text []byte) error {
	parts := []any{&h.mask, &h.preferred}
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("a hint is [nodes or null, preferred], not %s", text)
	}
	return nil
}

// MarshalJSON is the inverse, for snapshots.
func (h hintDocument) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{h.mask, h.preferred})
}

type exitDocument struct {
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Code      int    `json:"code"`
}

type restartDocument struct {
	State    stateChange     `json:"state"`
	CPUState stateChange     `json:"cpuState"` // keep, lose or a text
	Order    []string        `json:"order"`
	Signal   string          `json:"signal"`
	Machine  json.RawMessage `json:"machine"`
	Kubelet  json.RawMessage `json:"kubelet"`
}

// stateChange is what becomes of the state file while the kubelet is down.
type stateChange struct {
	lose bool
	text *string
	edit *stateEdit
}

type stateEdit struct {
	Find     string `json:"find"`
	Replace  string `json:"replace"`
	Checksum string `json:"checksum"`
}

// UnmarshalJSON reads "keep", "lose", {"text": …} or {"find": …, "replace": …, "checksum": …}.
func (c *stateChange) UnmarshalJSON(text []byte) error {
	var word string
	if json.Unmarshal(text, &word) == nil {
		c.lose = word == "lose"
		if word != "lose" && word != "keep" {
			return fmt.Errorf("state: keep or lose, not %q", word)
		}
		return nil
	}
	var either struct {
		Text *string `json:"text"`
		stateEdit
	}
	if err := json.Unmarshal(text, &either); err != nil {
		return err
	}
	if either.Text != nil {
		c.text = either.Text
	} else {
		c.edit = &either.stateEdit
	}
	return nil
}

// parse reads a request; unknown fields are errors, so that nothing is silently ignored.
func parse(line []byte) (*request, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	asked := &request{Repeat: 1}
	if err := decoder.Decode(asked); err != nil {
		return asked, err
	}
	if asked.Machine == nil || asked.Kubelet == nil {
		return asked, errors.New("a request has a machine and a kubelet")
	}
	for i := range asked.Steps {
		if err := asked.Steps[i].check(); err != nil {
			return asked, fmt.Errorf("steps[%d] %w", i, err)
		}
	}
	if asked.From != nil && (len(asked.Steps) == 0 || !asked.Steps[0].restarts()) {
		return asked, errors.New("what goes on from a snapshot begins with a restart")
	}
	return asked, nil
}

func (s *step) check() error {
	if n := s.events() + s.troubles(); n != 1 {
		return fmt.Errorf("says %d things to do, not one", n)
	}
	switch {
	case s.Crash != nil:
		return s.Crash.check()
	case s.Disk != nil:
		return s.Disk.check()
	case s.Runtime != nil:
		return s.Runtime.check()
	}
	return nil
}

func (s *step) events() int {
	return count(s.Admit != nil, s.Remove != nil, s.Exit != nil, s.Restart != nil)
}

func (s *step) troubles() int { return count(s.Crash != nil, s.Disk != nil, s.Runtime != nil) }

func (s *step) restarts() bool {
	return s.Restart != nil || (s.Crash != nil && s.Crash.During.Restart != nil)
}

func count(given ...bool) int {
	n := 0
	for _, one := range given {
		if one {
			n++
		}
	}
	return n
}

func (r *request) shows(what string) bool {
	for _, shown := range r.Show {
		if shown == what {
			return true
		}
	}
	return false
}

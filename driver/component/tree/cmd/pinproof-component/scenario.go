package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"runtime/debug"
)

// outcome is one way a scenario went.
type outcome struct {
	observations []observation
	crash        *crash
	snapshot     *snapshot
	times        int
}

// crash is a panic inside Kubernetes, which ends a kubelet.
type crash struct {
	At    int    `json:"at"`
	Text  string `json:"text"`
	Stack string `json:"stack"`
}

// answer carries out the request of a line and answers the line to send back, without its end.
func answer(line []byte) []byte {
	asked, err := parse(line)
	var seen []*outcome
	if err == nil {
		seen, err = asked.outcomes()
	}
	w := writer{}
	w.raw(`{"id":`)
	if asked == nil || len(asked.ID) == 0 {
		w.raw(`null`)
	} else {
		w.raw(string(asked.ID))
	}
	if err != nil {
		w.raw(`,"error":`)
		w.string(err.Error())
	} else {
		w.raw(`,"histories":[`)
		for i, one := range seen {
			if i > 0 {
				w.raw(`,`)
			}
			one.write(&w)
		}
		w.raw(`]`)
	}
	w.raw(`}`)
	return w.text
}

// outcomes runs the scenario as often as asked and answers what differs.
func (r *request) outcomes() ([]*outcome, error) {
	var distinct []*outcome
	known := map[string]*outcome{}
	var shuffle *rand.Rand
	if r.Shuffle {
		shuffle = rand.New(rand.NewSource(r.Seed))
	}
	for round := 0; round < r.Repeat || round == 0; round++ {
		one, err := r.run(shuffle)
		if err != nil {
			return nil, err
		}
		key := ""
		if r.Repeat > 1 {
			key = one.key()
		}
		if known[key] == nil {
			known[key], distinct = one, append(distinct, one)
		}
		known[key].times++
	}
	return distinct, nil
}

func (o *outcome) key() string {
	var all []byte
	for i := range o.observations {
		all = append(append(all, o.observations[i].compared()...), '\n')
	}
	return string(all)
}

func (r *request) run(shuffle *rand.Rand) (*outcome, error) {
	n := newNode(r, shuffle)
	one := &outcome{observations: make([]observation, 0, len(r.Steps)+1)}
	withState := r.shows("stateFile")
	act := func(what func() error) error {
		found, err := n.guarded(what)
		if err != nil {
			return err
		}
		if found != nil && one.crash == nil {
			found.At = len(one.observations)
			one.crash = found
		}
		one.observations = append(one.observations, n.observe(withState))
		return nil
	}
	if r.From != nil {
		if err := n.resume(r.From); err != nil {
			return nil, err
		}
	} else if err := act(n.boot); err != nil {
		return nil, err
	}
	for i := range r.Steps {
		if err := act(func() error { return n.carryOut(&r.Steps[i]) }); err != nil {
			return nil, fmt.Errorf("steps[%d]: %w", i, err)
		}
	}
	if r.Snapshot {
		one.snapshot = n.snapshot()
	}
	return one, nil
}

// guarded does something that a panic may end; then the kubelet is dead, and the panic is its last word.
func (n *node) guarded(what func() error) (found *crash, err error) {
	defer func() {
		said := recover()
		if said == (killed{}) {
			n.dies()
		} else if said != nil {
			found = &crash{Text: panicText(said), Stack: string(debug.Stack())}
			n.managers, n.refusal = nil, found.Text
		}
	}()
	return nil, what()
}

func panicText(said any) string {
	if err, ok := said.(error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic: %v", said)
}

func (o *outcome) write(w *writer) {
	w.raw(`{"observations":[`)
	for i := range o.observations {
		if i > 0 {
			w.raw(`,`)
		}
		w.text = append(w.text, o.observations[i].text...)
	}
	w.raw(`],"times":`)
	w.int(int64(o.times))
	if o.crash != nil {
		text, _ := json.Marshal(o.crash) // plain strings
		w.raw(`,"panic":` + string(text))
	}
	if o.snapshot != nil {
		text, _ := json.Marshal(o.snapshot) // plain data
		w.raw(`,"snapshot":` + string(text))
	}
	w.raw(`}`)
}

package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"k8s.io/kubernetes/pkg/kubelet/util/store"
)

// restart stops the kubelet, changes what changes meanwhile, and starts it. Terminal pods do not come back.
func (n *node) restart(r *restartDocument) error {
	if err := r.State.apply(); err != nil {
		return err
	}
	if n.shuffle != nil {
		n.shuffleState()
	}
	if given(r.Machine) {
		n.machine = r.Machine
	}
	if given(r.Kubelet) {
		n.kubelet = r.Kubelet
	}
	n.residents = reordered(n.residents, r.Order)
	return n.boot()
}

func given(text json.RawMessage) bool { return len(text) > 0 && !bytes.Equal(text, []byte("null")) }

// reordered keeps the pods that are alive: those that are named first, the others in their order.
func reordered(residents []*resident, order []string) []*resident {
	var ordered []*resident
	taken := map[string]bool{}
	for _, name := range order {
		for _, r := range residents {
			if r.pod.Name == name && r.active() && !taken[name] {
				ordered, taken[name] = append(ordered, r), true
			}
		}
	}
	for _, r := range residents {
		if r.active() && !taken[r.pod.Name] {
			ordered = append(ordered, r)
		}
	}
	return ordered
}

// apply changes the state file.
func (c *stateChange) apply() error {
	switch {
	case c.lose:
		delete(store.Files, memoryFile)
	case c.text != nil:
		store.Files[memoryFile] = []byte(*c.text)
	case c.edit != nil:
		return c.edit.apply()
	}
	return nil
}

func (e *stateEdit) apply() error {
	text := string(store.Files[memoryFile])
	if !strings.Contains(text, e.Find) {
		return &absent{e.Find}
	}
	changed := []byte(strings.ReplaceAll(text, e.Find, e.Replace))
	if e.Checksum == "recompute" {
		changed = resealed(changed)
	}
	store.Files[memoryFile] = changed
	return nil
}

type absent struct{ find string }

func (a *absent) Error() string { return strconv.Quote(a.find) + " does not occur in the state file" }

// shuffleState writes the pods and containers of the state file in another order; the checksum is over a sorted dump of them.
//
// A Go map is walked from a random place in the order in which its keys were put there, so that for small maps only rotations of
// one order are ever seen. With the keys shuffled every order is as likely as any other.
func (n *node) shuffleState() {
	text, ok := store.Files[memoryFile]
	if !ok {
		return
	}
	fields, err := readObject(text)
	if err != nil {
		return // a file that is not JSON has no order
	}
	for i := range fields {
		switch fields[i].key {
		case "entries":
			fields[i].value = n.shuffled(fields[i].value, true)
		case "podEntries":
			fields[i].value = n.shuffled(fields[i].value, false)
		}
	}
	store.Files[memoryFile] = writeObject(fields)
}

func (n *node) shuffled(text json.RawMessage, inside bool) json.RawMessage {
	fields, err := readObject(text)
	if err != nil {
		return text
	}
	if inside {
		for i := range fields {
			fields[i].value = n.shuffled(fields[i].value, false)
		}
	}
	n.shuffle.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	return writeObject(fields)
}

// field is a key of a JSON object with its value, as written.
type field struct {
	key   string
	value json.RawMessage
}

// readObject reads a JSON object without losing the order of its keys.
func readObject(text []byte) ([]field, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, &absent{"{"}
	}
	var fields []field
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		fields = append(fields, field{key.(string), value})
	}
	_, err := decoder.Token()
	return fields, err
}

func writeObject(fields []field) []byte {
	text := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			text = append(text, ',')
		}
		key, _ := json.Marshal(f.key) // a string can always be written
		text = append(append(append(text, key...), ':'), f.value...)
	}
	return append(text, '}')
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"regexp"
	"strings"

	"k8s.io/kubernetes/pkg/kubelet/checkpointmanager"
	"k8s.io/kubernetes/pkg/kubelet/checkpointmanager/checksum"
	memorystate "k8s.io/kubernetes/pkg/kubelet/cm/memorymanager/state"
	"k8s.io/kubernetes/pkg/kubelet/util/store"
)

var checksumField = regexp.MustCompile(`"checksum":\d+`)

// apply changes a state file while the kubelet is down; an edit is of the memory manager's.
func (c *stateChange) apply(path string) {
	switch {
	case c.lose:
		delete(store.Files, path)
	case c.text != nil:
		store.Files[path] = []byte(*c.text)
	case c.edit != nil:
		c.edit.apply()
	}
}

// apply leaves a file alone in which there is nothing to find.
func (e *stateEdit) apply() {
	before, exists := store.Files[memoryFile]
	if !exists || !strings.Contains(string(before), e.Find) {
		return
	}
	after := []byte(strings.ReplaceAll(string(before), e.Find, e.Replace))
	if e.Checksum == "recompute" {
		after = resealed(before, after)
	}
	store.Files[memoryFile] = after
}

// resealed gives a text the checksum of its own content, in the form that the text before had; one that cannot be read keeps its own.
func resealed(before, after []byte) []byte {
	forms := memorystate.PinproofForms()
	for i, form := range forms {
		if i < len(forms)-1 && (form.UnmarshalCheckpoint(before) != nil || form.VerifyChecksum() != nil) {
			continue
		}
		return sealedAs(memorystate.PinproofForms()[i], after)
	}
	return after
}

func sealedAs(form checkpointmanager.Checkpoint, text []byte) []byte {
	if form.UnmarshalCheckpoint(text) != nil {
		return text
	}
	written, err := form.MarshalCheckpoint()
	if err != nil {
		return text
	}
	return checksumField.ReplaceAll(text, checksumField.Find(written))
}

// shuffled writes the pods and containers of a state file in another order. The checksum is over a dump in which they are sorted.
//
// A Go map is walked from a random place in the order in which its keys were put there, so that of a small map only rotations of
// one order are ever seen. With its keys shuffled every order is as likely as any other.
func shuffled(text []byte, by *rand.Rand) []byte {
	fields, err := readObject(text)
	if err != nil {
		return text // what is not JSON has no order
	}
	data := -1
	for i := range fields {
		switch fields[i].key {
		case "entries":
			fields[i].value = shuffledKeys(fields[i].value, by, true)
		case "podEntries":
			fields[i].value = shuffledKeys(fields[i].value, by, false)
		case "data":
			data = i
		}
	}
	if data >= 0 {
		shuffleData(fields, data, by)
	}
	return writeObject(fields)
}

// shuffleData does the same to the text within the text that 1.37 writes, whose checksum is over its bytes; one that is wrong stays wrong.
func shuffleData(fields []field, at int, by *rand.Rand) {
	var text string
	if json.Unmarshal(fields[at].value, &text) != nil {
		return
	}
	for i := range fields {
		var sum checksum.Checksum
		if fields[i].key != "dataChecksum" || json.Unmarshal(fields[i].value, &sum) != nil || sum.Verify(text) != nil {
			continue
		}
		text = string(shuffled([]byte(text), by))
		fields[i].value, _ = json.Marshal(checksum.New(text)) // a number
		fields[at].value, _ = json.Marshal(text)              // a string
	}
}

func shuffledKeys(text json.RawMessage, by *rand.Rand, inside bool) json.RawMessage {
	fields, err := readObject(text)
	if err != nil {
		return text
	}
	if inside {
		for i := range fields {
			fields[i].value = shuffledKeys(fields[i].value, by, false)
		}
	}
	by.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
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
		return nil, fmt.Errorf("not a JSON object")
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
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, fmt.Errorf("more than a JSON object")
	}
	return fields, nil
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

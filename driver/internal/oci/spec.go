package oci

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
)

// object is JSON of which only some fields are known here; the others pass through.
type object map[string]any

// at is the object beneath, and nil if there is none.
func (o object) at(names ...string) object {
	for _, name := range names {
		next, _ := o[name].(map[string]any)
		o = next
	}
	return o
}

func (o object) text(name string) string {
	text, _ := o[name].(string)
	return text
}

// read reads a JSON object and keeps its numbers as they are written.
func read(data []byte) (object, error) {
	var found object
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err := decoder.Decode(&found)
	return found, err
}

// change rewrites a file of JSON, whole or not at all.
func change(path string, edit func(object) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	document, err := read(data)
	if err != nil {
		return err
	}
	if err := edit(document); err != nil {
		return err
	}
	if data, err = json.Marshal(document); err != nil {
		return err
	}
	return replaceFile(path, data)
}

// replaceFile gives a file other content by one rename.
func replaceFile(path string, data []byte) error {
	draft, err := os.CreateTemp(filepath.Dir(path), ".pinproof-*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name()) // gone already if all went well
	if _, err = draft.Write(data); err == nil {
		err = draft.Chmod(0o644)
	}
	if closed := draft.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(draft.Name(), path)
}

// clipSets takes out of `linux.resources` the sets that name a CPU or NUMA node this host lacks, and page sizes it does not count.
// A set is given whole or not at all: half of a made machine's CPUs would only crowd the few real ones.
func clipSets(resources object, h host) {
	cpu := resources.at("cpu")
	if !has(h.cpus, cpu.text("cpus")) {
		delete(cpu, "cpus")
	}
	if !has(h.mems, cpu.text("mems")) {
		delete(cpu, "mems")
	}
	limits, _ := resources["hugepageLimits"].([]any)
	var kept []any
	for _, limit := range limits {
		fields, _ := limit.(map[string]any)
		if h.pageSizes[object(fields).text("pageSize")] {
			kept = append(kept, limit)
		}
	}
	if len(kept) == 0 {
		delete(resources, "hugepageLimits")
	} else {
		resources["hugepageLimits"] = kept
	}
}

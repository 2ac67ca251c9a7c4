package oci

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Told is where it is written down, a file for each container, named by its id.
const Told = "/var/lib/pinproof/told"

// Limit is a number of bytes of huge pages.
type Limit struct {
	PageSize string      `json:"pageSize"`
	Limit    json.Number `json:"limit"`
}

// Sets are what a container may use, as the runtime was told: the kernel's lists, empty where nothing was said.
type Sets struct {
	CPUs       string  `json:"cpus"`
	Mems       string  `json:"mems"`
	HugePages  []Limit `json:"hugepageLimits,omitempty"`
	LeftOut    bool    `json:"leftOut"` // whether this host lacks some of it, so that the kernel was not told
	Nanosecond int64   `json:"nanosecond"`
}

// Record is all the runtime was told of a container. What its creation said is never overwritten.
type Record struct {
	Sets
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	UID       string `json:"uid"`
	Container string `json:"container"` // empty for the sandbox
	Updates   []Sets `json:"updates"`
}

// recordCreation begins a container's record.
func recordCreation(directory, id string, annotations object, sets Sets) error {
	const prefix = "io.kubernetes.cri."
	return write(directory, id, Record{
		Sets:      sets,
		Namespace: annotations.text(prefix + "sandbox-namespace"),
		Pod:       annotations.text(prefix + "sandbox-name"),
		UID:       annotations.text(prefix + "sandbox-uid"),
		Container: annotations.text(prefix + "container-name"),
		Updates:   []Sets{},
	})
}

// recordUpdate adds an update. One of a container that was created before anybody wrote things down begins a record too.
func recordUpdate(directory, id string, sets Sets) error {
	record := Record{Updates: []Sets{}}
	data, err := os.ReadFile(path(directory, id))
	if err == nil {
		err = json.Unmarshal(data, &record)
	} else if os.IsNotExist(err) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("the record of container %s: %w", id, err)
	}
	record.Updates = append(record.Updates, sets)
	return write(directory, id, record)
}

func write(directory, id string, record Record) error {
	data, err := json.Marshal(record)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	return replaceFile(path(directory, id), append(data, '\n'))
}

func path(directory, id string) string { return filepath.Join(directory, id+".json") }

// setsOf reads `linux.resources`.
func setsOf(resources object, nanosecond int64) Sets {
	cpu := resources.at("cpu")
	found := Sets{CPUs: cpu.text("cpus"), Mems: cpu.text("mems"), Nanosecond: nanosecond}
	limits, _ := resources["hugepageLimits"].([]any)
	for _, limit := range limits {
		fields, _ := limit.(map[string]any)
		number, _ := fields["limit"].(json.Number)
		found.HugePages = append(found.HugePages, Limit{object(fields).text("pageSize"), number})
	}
	return found
}

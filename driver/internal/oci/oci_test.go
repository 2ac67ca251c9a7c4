package oci

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// small has two CPUs, one NUMA node, two capabilities and pages of 2 MiB.
var small = host{
	cpus:         map[int]bool{0: true, 1: true},
	mems:         map[int]bool{0: true},
	capabilities: 1<<capabilityNumbers["CAP_CHOWN"] | 1<<capabilityNumbers["CAP_KILL"],
	oomScore:     100,
	pageSizes:    map[string]bool{"2MB": true},
}

const bundle = `{
	"ociVersion": "1.2.0",
	"annotations": {
		"io.kubernetes.cri.sandbox-namespace": "default", "io.kubernetes.cri.sandbox-name": "a",
		"io.kubernetes.cri.sandbox-uid": "u1", "io.kubernetes.cri.container-name": "c"},
	"process": {
		"args": ["sleep"], "oomScoreAdj": -997,
		"capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_KILL"], "ambient": ["CAP_SYS_RESOURCE"]}},
	"linux": {"resources": {
		"memory": {"limit": 9223372036854775807},
		"cpu": {"shares": 2048, "cpus": "0-1", "mems": "1,3"},
		"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}, {"pageSize": "1GB", "limit": 0}]}}}`

// wrapped passes a command on a bundle of its own; w.records lies there too.
func wrapped(t *testing.T, input string, arguments ...string) (string, invocation) {
	t.Helper()
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "config.json"), []byte(bundle), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range arguments {
		arguments[i] = strings.ReplaceAll(arguments[i], "BUNDLE", directory)
	}
	called := parse(arguments)
	w := wrapper{small, filepath.Join(directory, "told"), func() int64 { return 7 }, strings.NewReader(input)}
	if err := w.pass(called); err != nil {
		t.Fatal(err)
	}
	return directory, called
}

func document(t *testing.T, path string) (found object) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		found, err = read(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func expect(t *testing.T, what string, expected, actual any) {
	t.Helper()
	if !reflect.DeepEqual(expected, actual) {
		t.Errorf("%s: expected %v, got %v", what, expected, actual)
	}
}

// What a container is created with is written down as it was said.
func TestCreationIsRecorded(t *testing.T) {
	directory, _ := wrapped(t, "", "--root", "/run/runc", "--log-format", "json", "create", "--bundle", "BUNDLE", "--pid-file", "p", "id1")
	data, err := os.ReadFile(filepath.Join(directory, "told", "id1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var record Record
	if err := json.Unmarshal(data, &record); err != nil {
		t.Fatal(err)
	}

	pages := []Limit{{"2MB", "4194304"}, {"1GB", "0"}}
	expect(t, "record", Record{Sets{"0-1", "1,3", pages, true, 7}, "default", "a", "u1", "c", []Sets{}}, record)
}

// What this host lacks is left out of the bundle, and nothing else.
func TestCreationIsClipped(t *testing.T) {
	directory, _ := wrapped(t, "", "create", "--bundle=BUNDLE", "id1")
	spec := document(t, filepath.Join(directory, "config.json"))
	resources := spec.at("linux", "resources")
	capabilities := spec.at("process", "capabilities")

	expect(t, "cpu", object{"shares": json.Number("2048"), "cpus": "0-1"}, resources.at("cpu"))
	expect(t, "huge pages", []any{map[string]any{"pageSize": "2MB", "limit": json.Number("4194304")}}, resources["hugepageLimits"])
	expect(t, "memory", object{"limit": json.Number("9223372036854775807")}, resources.at("memory"))
	expect(t, "bounding", []any{"CAP_CHOWN", "CAP_KILL"}, capabilities["bounding"])
	expect(t, "ambient", []any{}, capabilities["ambient"])
	expect(t, "oom score", json.Number("100"), spec.at("process")["oomScoreAdj"])
	expect(t, "arguments", []any{"sleep"}, spec.at("process")["args"])
}

// Without CAP_SYS_RESOURCE in the way, the score is left as it is.
func TestScoreIsLeftToThePrivileged(t *testing.T) {
	process, _ := read([]byte(`{"oomScoreAdj": -997}`))
	clipPrivileges(process, host{capabilities: ^uint64(0), oomScore: 100})

	expect(t, "oom score", json.Number("-997"), process["oomScoreAdj"])
}

// An update is added to the record, and the real runtime reads what is left of it.
func TestUpdate(t *testing.T) {
	directory, _ := wrapped(t, "", "create", "--bundle", "BUNDLE", "id1")
	w := wrapper{small, filepath.Join(directory, "told"), func() int64 { return 8 }, strings.NewReader(`{"cpu": {"cpus": "1,9", "mems": "0"}}`)}
	called := parse([]string{"update", "--resources=-", "id1"})
	if err := w.pass(called); err != nil {
		t.Fatal(err)
	}
	record := document(t, filepath.Join(directory, "told", "id1.json"))
	updates, _ := record["updates"].([]any)
	file := strings.TrimPrefix(called.arguments[1], "--resources=")

	expect(t, "first", "1,3", record["mems"])
	expect(t, "updates", 1, len(updates))
	expect(t, "update", "1,9", object(updates[0].(map[string]any)).text("cpus"))
	expect(t, "passed on", object{"cpu": map[string]any{"mems": "0"}}, document(t, file))
}

// A container from before the wrapper has a record from its first update on.
func TestUpdateOfAnUnknownContainer(t *testing.T) {
	directory, _ := wrapped(t, `{"cpu": {"cpus": "0"}}`, "update", "-r", "-", "id2")
	record := document(t, filepath.Join(directory, "told", "id2.json"))

	expect(t, "first", "", record["cpus"])
	expect(t, "updates", 1, len(record["updates"].([]any)))
}

// By its plain name it sees to privileges alone.
func TestPlain(t *testing.T) {
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "config.json"), []byte(bundle), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (wrapper{host: small}).pass(parse([]string{"create", "-b", directory, "id1"})); err != nil {
		t.Fatal(err)
	}
	spec := document(t, filepath.Join(directory, "config.json"))

	expect(t, "mems", "1,3", spec.at("linux", "resources", "cpu").text("mems"))
	expect(t, "ambient", []any{}, spec.at("process", "capabilities")["ambient"])
}

// A process that joins a container gets no more than the container did.
func TestExec(t *testing.T) {
	file := filepath.Join(t.TempDir(), "process.json")
	if err := os.WriteFile(file, []byte(`{"capabilities": {"effective": ["CAP_SYS_RESOURCE"]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (wrapper{host: small}).pass(parse([]string{"exec", "--process", file, "--detach", "id1"})); err != nil {
		t.Fatal(err)
	}

	expect(t, "effective", []any{}, document(t, file).at("capabilities")["effective"])
}

// Commands that carry nothing pass untouched, even those that look like another's values.
func TestOthersPass(t *testing.T) {
	for _, line := range []string{"--version", "features", "--root create state id1", "start id1", "kill id1 9", "delete --force id1"} {
		_, called := wrapped(t, "", strings.Fields(line)...)
		expect(t, line, strings.Fields(line), called.arguments)
	}
	expect(t, "command", "state", parse(strings.Fields("--root create state id1")).command)
}

// A bundle that cannot be read is an error and not a container that nobody wrote down.
func TestUnreadableBundle(t *testing.T) {
	if (wrapper{host: small}).pass(parse([]string{"create", "--bundle", t.TempDir(), "id1"})) == nil {
		t.Error("want an error")
	}
}

// Lists are the kernel's; one that is none is the runtime's to refuse.
func TestHas(t *testing.T) {
	for list, expected := range map[string]bool{"": true, "0": true, "0-1": true, "0-2": false, "1,5": false, "x": true} {
		expect(t, list, expected, has(small.cpus, list))
	}
}

// Page sizes are found in both versions of control groups.
func TestPageSizes(t *testing.T) {
	for _, name := range []string{"hugetlb/hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max"} {
		root := t.TempDir()
		file := filepath.Join(root, name)
		_ = os.MkdirAll(filepath.Dir(file), 0o755)
		_ = os.WriteFile(file, nil, 0o600)
		expect(t, name, map[string]bool{"2MB": true}, pageSizes(root))
	}
}

// This host can be read, and has the CPU that this runs on.
func TestThisHost(t *testing.T) {
	found, err := thisHost()
	if err != nil || len(found.cpus) == 0 || len(found.mems) == 0 {
		t.Errorf("got %v, %v", found, err)
	}
}

package control

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pinproof.dev/driver/internal/namespaces"
)

// ask sends lines to a node that has no namespaces and returns its replies.
func ask(t *testing.T, lines ...string) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := serve(newAgent(namespaces.User), operations, strings.NewReader(strings.Join(lines, "\n")+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	var replies []map[string]any
	for line := range bytes.Lines(out.Bytes()) {
		var answer map[string]any
		if err := json.Unmarshal(line, &answer); err != nil {
			t.Fatal(err)
		}
		replies = append(replies, answer)
	}
	return replies
}

// What cannot be carried out is answered with an error that says why, and the next request is served.
func TestErrorsAreReplies(t *testing.T) {
	for line, want := range map[string]string{
		`nonsense`:                                               "not a request",
		`{"id":1,"op":"fly"}`:                                    `unknown operation "fly"`,
		`{"id":1,"op":"write"}`:                                  "before setup",
		`{"id":1,"op":"machine"}`:                                "before setup",
		`{"id":1,"op":"start"}`:                                  "no kubelet",
		`{"id":1,"op":"stop"}`:                                   "no kubelet",
		`{"id":1,"op":"arm"}`:                                    "which write",
		`{"id":1,"op":"fault","method":"X","how":"sings"}`:       "sings",
		`{"id":1,"op":"disk","file":"other","state":"full"}`:     "other",
		`{"id":1,"op":"calls","since":"x"}`:                      "not understood",
		`{"id":1,"op":"exit","uid":"u","container":"c"}`:         "not running",
		`{"id":1,"op":"stop","signal":"HUP"}`:                    "TERM or KILL",
		`{"id":1,"op":"setup","trees":{"/sys":{"a":{"b":"c"}}}}`: "link",
	} {
		replies := ask(t, line, `{"id":2,"op":"shutdown"}`)
		if message, _ := replies[0]["error"].(string); !strings.Contains(message, want) {
			t.Errorf("%s: want an error with %q, got %v", line, want, replies[0])
		}
		if last := replies[len(replies)-1]; last["ok"] != true {
			t.Errorf("%s: want the next request served, got %v", line, last)
		}
	}
}

// A reply repeats the id of its request, whatever JSON value that is.
func TestReplyHasTheID(t *testing.T) {
	replies := ask(t, `{"id":"seven","op":"calls"}`)

	if replies[0]["id"] != "seven" || replies[0]["ok"] != true || replies[0]["next"] != 0.0 {
		t.Errorf("want an empty list of calls for seven, got %v", replies[0])
	}
}

// Only the wanted families of the metrics are kept, with their comments.
func TestSamples(t *testing.T) {
	text := "# HELP a_total x\n# TYPE a_total counter\na_total 1\n# HELP b x\nb 2\n"
	got := string(samples([]byte(text), []string{"a_"}))

	if want := "# HELP a_total x\n# TYPE a_total counter\na_total 1\n"; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}

package inside

import (
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
)

// LogFile is where the unit of the kubelet writes; it is emptied at every start.
const LogFile = "/var/log/pinproof-kubelet.log"

// A log is what the latest kubelet has written so far, and what of it has been understood. Its file is only ever read on.
type log struct {
	mu     sync.Mutex
	offset int64
	text   strings.Builder
	tail   string // the beginning of a line that is not complete yet
	synced map[string]bool
	gone   map[string]bool
	heard  bool // from the API server
}

var (
	// syncedLine follows the admission of a pod by this process. What is rejected is synced too, but only to end what runs of it.
	syncedLine = regexp.MustCompile(`"Pod is being synced for the first time".* podUID="([^"]+)" updateType="create"`)
	// addedLine comes with the first list of the API server, empty or not; until then the kubelet tidies nothing up.
	addedLine = regexp.MustCompile(`"SyncLoop ADD" source="api"`)
	// removedLine says that the API server, or the folder of manifests, has the pods no more; from then on they are not active.
	removedLine = regexp.MustCompile(`"SyncLoop REMOVE" source="(?:api|file)" pods=\[([^\]]*)\]`)
)

func newLog() *log { return &log{synced: map[string]bool{}, gone: map[string]bool{}} }

// read takes in what has been written since.
func (l *log) read() {
	l.mu.Lock()
	defer l.mu.Unlock()
	file, err := os.Open(LogFile)
	if err != nil {
		return // nothing yet
	}
	defer file.Close()
	data, err := io.ReadAll(io.NewSectionReader(file, l.offset, 1<<40))
	if err != nil {
		return // the next reading starts at the same place
	}
	l.offset += int64(len(data))
	l.text.Write(data)
	lines := strings.SplitAfter(l.tail+string(data), "\n")
	l.tail = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		l.understand(line)
	}
}

func (l *log) understand(line string) {
	if found := syncedLine.FindStringSubmatch(line); found != nil {
		l.synced[found[1]] = true
	} else if found := removedLine.FindStringSubmatch(line); found != nil {
		for name := range strings.SplitSeq(found[1], ",") {
			l.gone[strings.Trim(name, `" `)] = true
		}
	} else if addedLine.MatchString(line) {
		l.heard = true
	}
}

// isSynced reports whether this kubelet has admitted the pod and begun to work on it.
func (l *log) isSynced(uid string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.synced[uid]
}

// hasHeard reports whether this kubelet has been told by the API server which pods there are.
func (l *log) hasHeard() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}

// isGone reports whether this kubelet has heard that the pod NAMESPACE/NAME is no more.
func (l *log) isGone(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone[name]
}

// about returns the lines that contain a part, or all.
func (l *log) about(part string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if part == "" {
		return l.text.String()
	}
	var found strings.Builder
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, part) {
			found.WriteString(line)
		}
	}
	return found.String()
}

package kubelet

import (
	"bytes"
	"sync"
)

// logLimit bounds what a node keeps of its kubelets' words; the oldest half goes first.
const logLimit = 64 << 20

// Log collects what the kubelets of a node print. The zero value is empty.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
	mark int // where the words of the latest kubelet begin
}

// Write never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len()+len(p) > logLimit {
		l.text.Next(logLimit / 2)
		l.mark = max(0, l.mark-logLimit/2)
	}
	return l.text.Write(p)
}

// Begin marks the start of another kubelet.
func (l *Log) Begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mark = l.text.Len()
}

// Text is what the latest kubelet has printed, or everything.
func (l *Log) Text(everything bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if everything {
		return l.text.String()
	}
	return string(l.text.Bytes()[l.mark:])
}

package main

import (
	"bytes"
	"encoding/json"
	"slices"

	"k8s.io/kubernetes/pkg/kubelet/util/store"
)

// restart stops the kubelet, changes what changes meanwhile, and starts it. Terminal pods do not come back.
func (n *node) restart(r *restartDocument) error {
	if n.managers != nil {
		n.runtime.kubeletStops()
	}
	r.State.apply(memoryFile)
	r.CPUState.apply(cpuFile)
	if text, ok := store.Files[memoryFile]; ok && n.shuffle != nil {
		read := shuffled(text, n.shuffle)
		store.Files[memoryFile] = read
		defer putBack(text, read)
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

// putBack makes the state file what it was, unless the kubelet has written another: the order was for its reader alone.
func putBack(text, read []byte) {
	if bytes.Equal(store.Files[memoryFile], read) {
		store.Files[memoryFile] = text
	}
}

func given(text json.RawMessage) bool { return len(text) > 0 && !bytes.Equal(text, []byte("null")) }

// reordered keeps the pods that are alive: those that are named first, the others in the order of their arrival.
func reordered(residents []*resident, order []string) []*resident {
	residents = slices.SortedFunc(slices.Values(residents), func(a, b *resident) int { return a.arrival() - b.arrival() })
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

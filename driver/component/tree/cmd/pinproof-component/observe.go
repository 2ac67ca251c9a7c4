package main

import (
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	memorystate "k8s.io/kubernetes/pkg/kubelet/cm/memorymanager/state"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/kubernetes/pkg/kubelet/util/store"
)

// observation is the JSON of what can be seen after a step. What follows `at` is not compared: the state file lists blocks
// in Go's map order, so it is never twice the same. Of a kubelet that was killed its files are all there is to compare.
type observation struct {
	text []byte
	at   int
}

// usual is how many bytes most observations take.
const usual = 2 << 10

func (o *observation) compared() []byte { return o.text[:o.at] }

func (n *node) observe(withState bool) observation {
	w := writer{}
	w.text = make([]byte, 1, usual)
	w.text[0] = '{'
	switch {
	case n.managers != nil:
		n.observeRunning(&w)
	case n.refusal != "":
		w.raw(`"running":false,"refusal":`)
		w.string(n.refusal)
	default: // it was killed
		w.raw(`"running":false,"refusal":null`)
		w.file("cpuStateFile", cpuFile)
		w.file("stateFile", memoryFile)
	}
	seen := observation{at: len(w.text)}
	switch {
	case n.managers != nil && withState:
		n.news.field(&w, "stateFile", func() { w.string(string(store.Files[memoryFile])) })
	case n.refusal != "":
		w.file("stateFile", memoryFile)
	}
	if n.disk.shown {
		w.raw(`,"writes":`)
		w.writes(n.disk.seen)
	}
	w.text = append(w.text, '}')
	seen.text = w.text
	return seen
}

func (n *node) observeRunning(w *writer) {
	w.raw(`"running":true`)
	n.pods(w)
	books := n.managers.memory.State()
	assignments := books.GetMemoryAssignments()
	named := n.byName(keys(assignments))
	n.news.object(w, "assignments", sortedKeys(named), func(name string) {
		containers := assignments[named[name]]
		w.object(sortedKeys(containers), func(container string) { w.blocks(containers[container]) })
	})
	pods := podAssignments(books)
	namedPods := n.byName(keys(pods))
	n.news.object(w, "podAssignments", sortedKeys(namedPods), func(name string) { w.blocks(pods[namedPods[name]]) })
	n.machineState(w, books.GetMachineState())
	n.news.field(w, "policy", func() { w.string(n.settings.kubelet.MemoryManagerPolicy) })
	n.news.field(w, "cpu", func() { n.cpus(w) })
	n.told(w)
	moved := readCounters(n.settings.gates).since(n.start)
	n.news.object(w, "counters", sortedKeys(moved), func(name string) { w.int(moved[name]) })
	n.news.field(w, "allocatable", func() {
		w.raw(`[`)
		w.blocks(allocatableMemory(n.managers.memory))
		w.raw(`,`)
		w.string(n.managers.cpu.GetAllocatableCPUs().String())
		w.raw(`]`)
	})
	if n.heard.on {
		n.news.field(w, "hints", func() { w.hints(n.heard.heard) })
	}
}

func (n *node) pods(w *writer) {
	byName := map[string]*resident{}
	for _, r := range n.residents {
		byName[r.pod.Name] = r
	}
	n.news.object(w, "pods", sortedKeys(byName), func(name string) {
		verdict := byName[name].verdict
		if verdict.Admit {
			w.raw(`[true]`)
			return
		}
		w.raw(`[false,`)
		w.string(verdict.Reason)
		w.raw(`,`)
		w.string(verdict.Message)
		w.raw(`]`)
	})
}

func (n *node) cpus(w *writer) {
	books := n.managers.cpu.State()
	w.raw(`[`)
	w.string(books.GetDefaultCPUSet().String())
	w.raw(`,`)
	assignments := books.GetCPUAssignments()
	named := n.byName(keys(assignments))
	w.object(sortedKeys(named), func(name string) {
		containers := assignments[named[name]]
		w.object(sortedKeys(containers), func(container string) { w.string(containers[container].String()) })
	})
	w.raw(`]`)
}

func (n *node) told(w *writer) {
	byName := map[string]map[string]told{}
	for _, r := range n.residents {
		if r.verdict.Admit && len(r.told) > 0 {
			byName[r.pod.Name] = r.told
		}
	}
	n.news.object(w, "told", sortedKeys(byName), func(name string) {
		w.object(sortedKeys(byName[name]), func(container string) {
			w.raw(`[`)
			w.string(byName[name][container].mems)
			w.raw(`,`)
			w.string(byName[name][container].cpus)
			w.raw(`]`)
		})
	})
}

// byName gives UIDs the names of their pods; the later incarnations of a pod are told apart by their UIDs.
func (n *node) byName(uids []string) map[string]string {
	sort.Strings(uids)
	named := make(map[string]string, len(uids))
	for _, uid := range uids {
		name, ours := n.names[uid]
		if !ours {
			name = uid
		}
		if _, taken := named[name]; taken {
			name += " (" + uid + ")"
		}
		named[name] = uid
	}
	return named
}

// writer writes JSON; keys come in order, so that equal observations are equal texts.
type writer struct{ text []byte }

// name writes the name of a field that follows others.
func (w *writer) name(name string) {
	w.raw(`,"`)
	w.raw(name)
	w.raw(`":`)
}

func (w *writer) file(name, path string) {
	w.name(name)
	w.string(string(store.Files[path]))
}

func (w *writer) raw(text string) { w.text = append(w.text, text...) }
func (w *writer) int(value int64) { w.text = strconv.AppendInt(w.text, value, 10) }
func (w *writer) uint(v uint64)   { w.text = strconv.AppendUint(w.text, v, 10) }

const hexadecimal = "0123456789abcdef"

func (w *writer) string(text string) {
	w.text = append(w.text, '"')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			w.text = append(w.text, '\\', c)
		case c < ' ':
			w.text = append(w.text, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&15])
		default:
			w.text = append(w.text, c)
		}
	}
	w.text = append(w.text, '"')
}

func (w *writer) object(names []string, value func(name string)) {
	w.raw(`{`)
	for i, name := range names {
		if i > 0 {
			w.raw(`,`)
		}
		w.string(name)
		w.raw(`:`)
		value(name)
	}
	w.raw(`}`)
}

func (w *writer) ints(numbers []int) {
	w.raw(`[`)
	for i, number := range numbers {
		if i > 0 {
			w.raw(`,`)
		}
		w.int(int64(number))
	}
	w.raw(`]`)
}

func (w *writer) blocks(blocks []memorystate.Block) {
	shown := make([]string, len(blocks))
	for i := range blocks {
		one := writer{}
		one.raw(`[`)
		affinity := append([]int{}, blocks[i].NUMAAffinity...)
		sort.Ints(affinity)
		one.ints(affinity)
		one.raw(`,`)
		one.string(string(blocks[i].Type))
		one.raw(`,`)
		one.uint(blocks[i].Size)
		one.raw(`]`)
		shown[i] = string(one.text)
	}
	sort.Strings(shown)
	w.raw(`[` + strings.Join(shown, ",") + `]`)
}

func (n *node) machineState(w *writer, nodes memorystate.NUMANodeMap) {
	ids := make(map[string]int, len(nodes))
	for id := range nodes {
		ids[strconv.Itoa(id)] = id
	}
	n.news.object(w, "machine", sortedKeys(ids), func(id string) {
		node := nodes[ids[id]]
		w.raw(`[`)
		w.int(int64(node.NumberOfAssignments))
		w.raw(`,`)
		cells := append([]int{}, node.Cells...)
		sort.Ints(cells)
		w.ints(cells)
		w.raw(`,`)
		w.tables(node.MemoryMap)
		w.raw(`]`)
	})
}

func (w *writer) tables(tables map[v1.ResourceName]*memorystate.MemoryTable) {
	w.object(sortedKeys(tables), func(name string) {
		t := tables[v1.ResourceName(name)]
		w.raw(`[`)
		for i, value := range []uint64{t.TotalMemSize, t.SystemReserved, t.Allocatable, t.Reserved, t.Free} {
			if i > 0 {
				w.raw(`,`)
			}
			w.uint(value)
		}
		w.raw(`]`)
	})
}

func (w *writer) writes(writes []written) {
	w.raw(`[`)
	for i, write := range writes {
		if i > 0 {
			w.raw(`,`)
		}
		w.raw(`[`)
		w.string(filepath.Base(write.path))
		w.raw(`,`)
		w.string(write.text)
		w.raw(`]`)
	}
	w.raw(`]`)
}

func (w *writer) hints(heard []*hinted) {
	w.raw(`[`)
	for i, h := range heard {
		if i > 0 {
			w.raw(`,`)
		}
		w.raw(`[`)
		w.string(h.pod)
		w.raw(`,`)
		w.string(h.container)
		w.raw(`,`)
		w.object(sortedKeys(h.answers), func(provider string) {
			answer := h.answers[provider]
			w.object(sortedKeys(answer), func(name string) { w.hintList(answer[name]) })
		})
		w.raw(`,`)
		if h.stored {
			w.hintList([]topologymanager.TopologyHint{h.merged})
		} else {
			w.raw(`null`)
		}
		w.raw(`]`)
	}
	w.raw(`]`)
}

// hintList is one text: decoding thousands of lists would take longer than making the hints.
func (w *writer) hintList(hints []topologymanager.TopologyHint) {
	if hints == nil {
		w.raw(`null`)
		return
	}
	w.raw(`"`)
	for i, hint := range hints {
		if i > 0 {
			w.raw(` `)
		}
		w.hint(hint)
	}
	w.raw(`"`)
}

func (w *writer) hint(hint topologymanager.TopologyHint) {
	if hint.NUMANodeAffinity == nil {
		w.raw(`any`)
	} else {
		bits := hint.NUMANodeAffinity.GetBits()
		for i, bit := range bits {
			if i > 0 {
				w.raw(`,`)
			}
			w.int(int64(bit))
		}
		if len(bits) == 0 {
			w.raw(`none`)
		}
	}
	if hint.Preferred {
		w.raw(`!`)
	}
}

func keys[K ~string, V any](of map[K]V) []string {
	all := make([]string, 0, len(of))
	for key := range of {
		all = append(all, string(key))
	}
	return all
}

func sortedKeys[K ~string, V any](of map[K]V) []string {
	all := keys(of)
	sort.Strings(all)
	return all
}

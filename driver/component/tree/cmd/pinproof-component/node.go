package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"sort"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/cm/containermap"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/kubernetes/pkg/kubelet/util/store"
)

// resident is a pod that the kubelet knows.
type resident struct {
	document *podDocument
	pod      *v1.Pod
	verdict  lifecycle.PodAdmitResult
	told     map[string]told // containers that were created
	over     map[string]bool // containers that ended for good
	finished bool            // Succeeded or Failed after having run
	byName   bool            // knownByName of the kubelet that made its containers
	sandbox  bool            // was made
	waits    bool            // for a call that hangs
}

// told is what the runtime was told when a container was last created.
type told struct {
	mems, cpus string
	started    bool
}

// arrival is the number at the end of a UID.
func (r *resident) arrival() int {
	uid := string(r.pod.UID)
	number, _ := strconv.Atoi(uid[strings.LastIndexByte(uid, '.')+1:])
	return number
}

func (r *resident) active() bool { return r.verdict.Admit && !r.finished }

// node is one node: a disk, pods, and a kubelet that runs or does not. It models what lies around the managers as
// pinproof/reference/node.py does; what the managers decide is theirs.
type node struct {
	machine, kubelet json.RawMessage
	settings         *settings
	managers         *managers // nil: the kubelet does not run
	refusal          string
	residents        []*resident // in the order of their first admission
	known            []*resident // those that this kubelet has been given so far
	names            map[string]string
	arrivals         int
	heard            *recorder
	start            series
	news             *news
	allocatable      string
	shuffle          *rand.Rand // nil: the state file's entries stay in their order
	disk             *disk
	runtime          *containerRuntime
	starting         bool // the kubelet
}

func newNode(asked *request, shuffle *rand.Rand) *node {
	clear(store.Files)
	n := &node{
		machine: asked.Machine, kubelet: asked.Kubelet, names: map[string]string{}, shuffle: shuffle,
		heard:   &recorder{on: asked.shows("hints")},
		news:    newNews(),
		disk:    &disk{states: map[string]string{}, shown: asked.shows("writes")},
		runtime: &containerRuntime{fails: map[string]int{}, hangs: map[string]bool{}},
	}
	store.Between = n.disk
	return n
}

// boot starts the kubelet on what is on disk, and admits every resident pod again.
func (n *node) boot() error {
	machine, settings, err := settled(n.machine, n.kubelet)
	if err != nil {
		return err
	}
	n.settings, n.managers, n.refusal, n.known, n.starting = settings, nil, settings.refusal, nil, true
	settings.use()
	n.start = readCounters(settings.gates)
	if n.refusal != "" {
		return nil
	}
	started, err := newManagers(settings, machine, n.heard, n.active, n.containerMap)
	if err != nil {
		n.refusal = err.Error()
		return nil
	}
	n.managers = started
	for _, r := range n.residents {
		if err := started.other.expect(string(r.pod.UID), r.document); err != nil {
			return err
		}
		n.admit(r)
		if r.waits = false; r.active() {
			n.startContainers(r)
			n.makeUnknownContainers(r)
		}
	}
	started.ready.AddSource("file")
	n.starting = false
	return nil
}

// active are the pods whose assignments are kept; the one under admission is among them.
func (n *node) active() []*v1.Pod {
	pods := make([]*v1.Pod, 0, len(n.known))
	for _, r := range n.known {
		if r.active() {
			pods = append(pods, r.pod)
		}
	}
	return pods
}

func (n *node) admit(r *resident) {
	others := n.active()
	n.known = append(n.known, r)
	if refused := n.managers.admit(r.pod, others); refused != nil {
		countRejection(refused.Reason)
		r.verdict = *refused
		r.verdict.Message = "Pod was rejected: " + refused.Message
	}
}

// carryOut carries out a step; on a node whose kubelet does not run only a restart does anything.
func (n *node) carryOut(s *step) error {
	n.heard.heard, n.disk.seen = nil, nil
	switch {
	case s.Restart != nil:
		return n.restart(s.Restart)
	case s.Crash != nil:
		return n.interrupted(s.Crash)
	case s.Disk != nil:
		n.disk.become(s.Disk)
	case s.Runtime != nil:
		n.happens(s.Runtime)
	case n.managers == nil:
		return nil
	case s.Admit != nil:
		return n.arrive(s.Admit)
	case s.Remove != nil:
		n.remove(*s.Remove)
	case s.Exit != nil:
		n.exit(s.Exit)
	}
	return nil
}

func (n *node) arrive(document *podDocument) error {
	n.arrivals++
	uid := fmt.Sprintf("%s.%d", document.Name, n.arrivals)
	pod, err := document.build(uid)
	if err != nil {
		return err
	}
	if err := n.managers.other.expect(uid, document); err != nil {
		return err
	}
	r := &resident{document: document, pod: pod, verdict: lifecycle.PodAdmitResult{Admit: true}, told: map[string]told{}, over: map[string]bool{}, byName: knownByName}
	n.names[uid] = document.Name
	n.forget(document.Name)
	n.residents = append(n.residents, r)
	n.admit(r)
	if r.active() {
		n.startContainers(r)
	}
	return nil
}

func (n *node) remove(name string) {
	if r := n.find(name); r != nil {
		for container := range r.told {
			n.stopped(r, container)
		}
		n.forget(name)
	}
}

func (n *node) find(name string) *resident {
	for _, r := range n.residents {
		if r.pod.Name == name {
			return r
		}
	}
	return nil
}

func (n *node) forget(name string) {
	n.residents = without(n.residents, name)
	n.known = without(n.known, name)
}

func without(residents []*resident, name string) []*resident {
	kept := make([]*resident, 0, len(residents))
	for _, r := range residents {
		if r.pod.Name != name {
			kept = append(kept, r)
		}
	}
	return kept
}

// --- containers

// startContainers starts what may run now: sidecars and init containers in order, the app containers after them.
func (n *node) startContainers(r *resident) {
	for i := range r.pod.Spec.InitContainers {
		container := &r.pod.Spec.InitContainers[i]
		if r.over[container.Name] {
			continue
		}
		n.ensureStarted(r, container, true)
		if !sidecar(container) || !r.told[container.Name].started {
			return
		}
	}
	for i := range r.pod.Spec.Containers {
		if container := &r.pod.Spec.Containers[i]; !r.over[container.Name] {
			n.ensureStarted(r, container, false)
		}
	}
}

// makeUnknownContainers makes those app containers anew in which this kubelet does not recognise its manifest's; sidecars stay.
func (n *node) makeUnknownContainers(r *resident) {
	if r.byName == knownByName {
		return
	}
	r.byName = knownByName
	for i := range r.pod.Spec.Containers {
		container := &r.pod.Spec.Containers[i]
		if _, created := r.told[container.Name]; created && !r.over[container.Name] {
			n.stopped(r, container.Name)
			n.startContainer(r, container, false)
		}
	}
}

func sidecar(container *v1.Container) bool {
	return container.RestartPolicy != nil && *container.RestartPolicy == v1.ContainerRestartPolicyAlways
}

func (n *node) ensureStarted(r *resident, container *v1.Container, init bool) {
	if was, created := r.told[container.Name]; !created {
		n.startContainer(r, container, init)
	} else if !was.started {
		n.madeAnew(r, container, init)
	}
}

// startContainer creates a container with its recorded pinning, then starts it, as the kubelet's container life cycle does.
// A call that fails is tried again.
func (n *node) startContainer(r *resident, container *v1.Container, init bool) {
	if r.waits || !n.created(r, container) {
		return
	}
	containerStarts(n.managers, r.pod, container, containerID(r, container.Name))
	switch n.runtime.call(start, func() { r.starts(container.Name) }) {
	case failed:
		n.madeAnew(r, container, init)
	case hung:
		r.waits = true
	}
}

// created makes a container, and a sandbox for the first of a pod; false if the pod has to wait for a call that hangs.
func (n *node) created(r *resident, container *v1.Container) bool {
	makes := n.creation(r, container)
	r.waits = (!r.sandbox && n.insist(runSandbox, func() { r.sandbox = true }) == hung) || n.insist(create, makes) == hung
	return !r.waits
}

func (n *node) creation(r *resident, container *v1.Container) func() {
	nodes := memoryNodes(n.managers.memory, r.pod, container)
	sort.Ints(nodes)
	mems := make([]string, len(nodes))
	for i, id := range nodes {
		mems[i] = strconv.Itoa(id)
	}
	cpus := n.managers.cpu.GetCPUAffinity(string(r.pod.UID), container.Name)
	return func() { r.told[container.Name] = told{mems: strings.Join(mems, ","), cpus: cpus.String()} }
}

func (r *resident) starts(container string) {
	was := r.told[container]
	was.started = true
	r.told[container] = was
}

func containerID(r *resident, container string) string { return string(r.pod.UID) + "/" + container }

func (n *node) stopped(r *resident, container string) {
	if err := containerStopped(n.managers, containerID(r, container)); err != nil {
		panic(err) // upstream answers none
	}
}

// containerMap is what the runtime tells a kubelet that starts.
func (n *node) containerMap() containermap.ContainerMap {
	containers := containermap.NewContainerMap()
	for _, r := range n.residents {
		for container := range r.told {
			containers.Add(string(r.pod.UID), container, containerID(r, container))
		}
	}
	return containers
}

// exit ends a container; one that does not run, since its pod was rejected or it ended before, cannot.
func (n *node) exit(e *exitDocument) {
	r := n.find(e.Pod)
	if r == nil || !r.active() || r.over[e.Container] {
		return
	}
	if !r.told[e.Container].started {
		return
	}
	container, init := r.container(e.Container)
	n.stopped(r, e.Container)
	regularInit := init && !sidecar(container)
	switch {
	case regularInit && e.Code == 0:
		r.over[e.Container] = true
		n.startContainers(r)
	case comesBack(r.pod, container, e.Code, regularInit):
		n.startContainer(r, container, init)
	default:
		r.over[e.Container] = true
		r.finished = regularInit || r.allOver()
	}
}

func (r *resident) container(name string) (container *v1.Container, init bool) {
	for i := range r.pod.Spec.InitContainers {
		if r.pod.Spec.InitContainers[i].Name == name {
			return &r.pod.Spec.InitContainers[i], true
		}
	}
	for i := range r.pod.Spec.Containers {
		if r.pod.Spec.Containers[i].Name == name {
			return &r.pod.Spec.Containers[i], false
		}
	}
	return nil, false
}

func (r *resident) allOver() bool {
	for i := range r.pod.Spec.Containers {
		if !r.over[r.pod.Spec.Containers[i].Name] {
			return false
		}
	}
	return true
}

// comesBack: whether the kubelet starts a container again after it ended.
func comesBack(pod *v1.Pod, container *v1.Container, code int, regularInit bool) bool {
	policy := pod.Spec.RestartPolicy
	if sidecar(container) || (regularInit && policy != v1.RestartPolicyNever) {
		return true
	}
	return policy == v1.RestartPolicyAlways || (policy == v1.RestartPolicyOnFailure && code != 0)
}

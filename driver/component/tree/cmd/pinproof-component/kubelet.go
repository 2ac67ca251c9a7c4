package main

import (
	"fmt"
	"runtime"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/kubernetes/pkg/kubelet/cm/containermap"
	"k8s.io/kubernetes/pkg/kubelet/cm/cpumanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/memorymanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/kubernetes/pkg/kubelet/preemption"
	schedulerframework "k8s.io/kubernetes/pkg/scheduler/framework"
)

const (
	stateDirectory = "/var/lib/kubelet"
	memoryFile     = stateDirectory + "/memory_manager_state"
	cpuFile        = stateDirectory + "/cpu_manager_state"
	other          = "other"
)

// managers are those of one kubelet process.
type managers struct {
	topology topologymanager.Manager
	cpu      cpumanager.Manager
	memory   memorymanager.Manager
	other    *otherProvider
	ready    *sources
	handlers []lifecycle.PodAdmitHandler
	windows  bool
}

// newManagers makes and starts the managers in the kubelet's order; the error is the kubelet's last word.
func newManagers(s *settings, on *machine, heard *recorder, active func() []*v1.Pod, containers func() containermap.ContainerMap) (*managers, error) {
	m := &managers{other: newOtherProvider(heard), ready: &sources{}, windows: on.windows}
	topologymanager.PinproofWindows = on.windows
	if err := m.make(s, on, heard); err != nil {
		return nil, fmt.Errorf("failed to run Kubelet: %w", err)
	}
	if err := m.start(active, containers); err != nil {
		return nil, err
	}
	if s.overcommit != "" {
		return nil, fmt.Errorf("%s", s.overcommit)
	}
	preempt := preemption.NewCriticalPodAdmissionHandler(active, nil, &record.FakeRecorder{})
	predicates := lifecycle.NewPredicateAdmitHandler(nodeGetter(s.node), preempt, noPluginResources)
	m.handlers = []lifecycle.PodAdmitHandler{m.topology, predicates}
	if !on.windows {
		m.handlers = append(m.handlers, laterHandlers()...)
	}
	return m, nil
}

func (m *managers) make(s *settings, on *machine, heard *recorder) (err error) {
	if m.topology, err = newTopologyManager(s, on); err != nil {
		return err
	}
	heard.store = m.topology
	if !on.windows {
		addProvider(m.topology, m.other)
	}
	if m.cpu, err = newCPUManager(s, on, m.topology); err != nil {
		return err
	}
	addProvider(m.topology, heard.listen("cpu", m.cpu))
	if m.memory, err = newMemoryManager(s, on, m.hintStore(on)); err != nil {
		return err
	}
	addProvider(m.topology, heard.listen("memory", m.memory))
	if on.windows {
		addProvider(m.topology, m.other)
	}
	return nil
}

func (m *managers) start(active func() []*v1.Pod, containers func() containermap.ContainerMap) error {
	reconciling, before := &sources{ending: true}, runtime.NumGoroutine()
	if err := startCPUManager(m.cpu, active, reconciling, containers()); err != nil {
		return fmt.Errorf("start cpu manager error: %w", err)
	}
	reconciling.endReconciliation(before)
	reconciling.follows = m.ready
	if err := startMemoryManager(m.memory, active, m.ready, containers()); err != nil {
		return fmt.Errorf("start memory manager error: %w", err)
	}
	return nil
}

// listen puts the recorder between the Topology Manager and a provider; with nobody to listen, nothing is between them.
func (r *recorder) listen(name string, provider topologymanager.HintProvider) topologymanager.HintProvider {
	if !r.on {
		return provider
	}
	return &listener{name: name, HintProvider: provider, recorder: r}
}

func noPluginResources(*schedulerframework.NodeInfo, *lifecycle.PodAdmitAttributes) error { return nil }

// sources tell the managers whether all pod sources were seen since the kubelet's start.
//
// The CPU manager starts a goroutine that reconciles the runtime with its books for as long as the process lives. There is no
// runtime here, and a process has many CPU managers; the first thing that goroutine asks is AllReady, which ends it.
type sources struct {
	seen    bool
	ending  bool
	follows *sources
}

// AddSource is part of the kubelet's interface.
func (s *sources) AddSource(string) { s.seen = true }

// AllReady is asked before stale state is removed.
func (s *sources) AllReady() bool {
	if s.ending {
		runtime.Goexit()
	}
	if s.follows != nil {
		return s.follows.seen
	}
	return s.seen
}

// endReconciliation gives the goroutines beyond those there were before their turn, until they have ended.
func (s *sources) endReconciliation(before int) {
	for turns := 0; runtime.NumGoroutine() > before && turns < patience; turns++ {
		runtime.Gosched()
	}
	s.ending = false
}

// patience is how many turns the reconciling goroutine gets; with one thread, one is enough.
const patience = 1000

// noStatus stands for the status manager, of which only the reconciliation asks anything.
type noStatus struct{}

// GetPodStatus knows no pod.
func (noStatus) GetPodStatus(types.UID) (v1.PodStatus, bool) { return v1.PodStatus{}, false }

// admit asks the handlers in turn; nil is a pod that is admitted.
func (m *managers) admit(pod *v1.Pod, others []*v1.Pod) *lifecycle.PodAdmitResult {
	for _, handler := range m.handlers {
		if result := admit(handler, pod, others); !result.Admit {
			return &result
		}
	}
	if m.windows { // the handlers that are linked are those of Linux
		return refusedOnWindows(pod)
	}
	return nil
}

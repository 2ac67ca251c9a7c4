//go:build !since_1_34

package main

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/cm/containermap"
	"k8s.io/kubernetes/pkg/kubelet/cm/cpumanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/memorymanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/memorymanager/state"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
)

func newTopologyManager(s *settings, on *machine) (topologymanager.Manager, error) {
	c := s.kubelet
	return topologymanager.NewManager(on.info.Topology, c.TopologyManagerPolicy, c.TopologyManagerScope, c.TopologyManagerPolicyOptions)
}

func newCPUManager(s *settings, on *machine, store topologymanager.Store) (cpumanager.Manager, error) {
	c := s.kubelet
	return cpumanager.NewManager(c.CPUManagerPolicy, c.CPUManagerPolicyOptions, c.CPUManagerReconcilePeriod.Duration,
		on.info, s.reservedCPUs, s.reservation, stateDirectory, store)
}

func newMemoryManager(s *settings, on *machine, store topologymanager.Store) (memorymanager.Manager, error) {
	c := s.kubelet
	return memorymanager.NewManager(c.MemoryManagerPolicy, on.info, s.reservation, c.ReservedMemory, stateDirectory, store)
}

func startCPUManager(m cpumanager.Manager, active func() []*v1.Pod, ready *sources, containers containermap.ContainerMap) error {
	return m.Start(active, ready, noStatus{}, nil, containers)
}

func startMemoryManager(m memorymanager.Manager, active func() []*v1.Pod, ready *sources, containers containermap.ContainerMap) error {
	return m.Start(active, ready, noStatus{}, nil, containers)
}

func addProvider(m topologymanager.Manager, provider topologymanager.HintProvider) {
	m.AddHintProvider(provider)
}

func admit(handler lifecycle.PodAdmitHandler, pod *v1.Pod, others []*v1.Pod) lifecycle.PodAdmitResult {
	return handler.Admit(&lifecycle.PodAdmitAttributes{Pod: pod, OtherPods: others})
}

func affinity(m topologymanager.Manager, uid, container string) topologymanager.TopologyHint {
	return m.GetAffinity(uid, container)
}

func memoryNodes(m memorymanager.Manager, pod *v1.Pod, container *v1.Container) []int {
	return m.GetMemoryNUMANodes(pod, container).UnsortedList()
}

func allocatableMemory(m memorymanager.Manager) []state.Block {
	return m.GetAllocatableMemory()
}

func containerStarts(m *managers, pod *v1.Pod, container *v1.Container, id string) {
	m.cpu.AddContainer(pod, container, id)
	m.memory.AddContainer(pod, container, id)
	m.topology.AddContainer(pod, container, id)
}

func containerStopped(m *managers, id string) error {
	return m.topology.RemoveContainer(id)
}

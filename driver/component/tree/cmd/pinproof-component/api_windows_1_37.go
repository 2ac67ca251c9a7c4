//go:build since_1_37

package main

import (
	cm "k8s.io/kubernetes/pkg/kubelet/cm/pinproofwindows"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
)

// hintStore is where the memory manager looks for its hints; on Windows its memory follows the CPUs.
func (m *managers) hintStore(on *machine) topologymanager.Store {
	if on.windows {
		return cm.NewCPUFollowingStore(m.topology, m.cpu, on.info)
	}
	return m.topology
}

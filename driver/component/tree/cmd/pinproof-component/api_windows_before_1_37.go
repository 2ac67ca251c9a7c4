//go:build !since_1_37

package main

import "k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"

// hintStore is where the memory manager looks for its hints.
func (m *managers) hintStore(*machine) topologymanager.Store { return m.topology }

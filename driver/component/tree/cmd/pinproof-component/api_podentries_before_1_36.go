//go:build !since_1_36

package main

import "k8s.io/kubernetes/pkg/kubelet/cm/memorymanager/state"

// podAssignments are the blocks of pods as a whole, which these releases do not have.
func podAssignments(state.Reader) map[string][]state.Block { return nil }

//go:build since_1_36

package main

import "k8s.io/kubernetes/pkg/kubelet/cm/memorymanager/state"

// podAssignments are the blocks of pods as a whole, by UID.
func podAssignments(books state.Reader) map[string][]state.Block {
	blocks := map[string][]state.Block{}
	for uid, entry := range books.GetPodMemoryAssignments() {
		blocks[uid] = entry.MemoryBlocks
	}
	return blocks
}

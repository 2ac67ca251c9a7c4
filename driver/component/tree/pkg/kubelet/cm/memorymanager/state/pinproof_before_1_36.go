//go:build !since_1_36

package state

import "k8s.io/kubernetes/pkg/kubelet/checkpointmanager"

// PinproofForms are the forms that a state file may have, empty, the newest first.
func PinproofForms() []checkpointmanager.Checkpoint {
	return []checkpointmanager.Checkpoint{NewMemoryManagerCheckpoint()}
}

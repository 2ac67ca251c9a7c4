//go:build since_1_36

package state

import "k8s.io/kubernetes/pkg/kubelet/checkpointmanager"

// PinproofForms are the forms that a state file may have, empty, the newest first; that of 1.37 has the outer fields of the last.
func PinproofForms() []checkpointmanager.Checkpoint {
	return []checkpointmanager.Checkpoint{newMemoryManagerCheckpointV2(), newMemoryManagerCheckpointV1()}
}

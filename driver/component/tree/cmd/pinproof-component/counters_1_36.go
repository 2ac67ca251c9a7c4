//go:build since_1_36

package main

import (
	"k8s.io/kubernetes/pkg/features"
	"k8s.io/kubernetes/pkg/kubelet/metrics"
)

func init() {
	labelledCounters = append(labelledCounters,
		labelledCounter{metrics.ResourceManagerAllocationsTotal, features.PodLevelResourceManagers},
		labelledCounter{metrics.ResourceManagerAllocationErrorsTotal, features.PodLevelResourceManagers},
		labelledCounter{metrics.ResourceManagerContainerAssignments, features.PodLevelResourceManagers},
	)
}

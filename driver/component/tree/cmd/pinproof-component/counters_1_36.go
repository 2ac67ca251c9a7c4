//go:build since_1_36

package main

import "k8s.io/kubernetes/pkg/kubelet/metrics"

func init() {
	labelledCounters = append(labelledCounters,
		metrics.ResourceManagerAllocationsTotal, metrics.ResourceManagerAllocationErrorsTotal, metrics.ResourceManagerContainerAssignments)
}

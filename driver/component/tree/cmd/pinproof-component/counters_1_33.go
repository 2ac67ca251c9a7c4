//go:build since_1_33

package main

import "k8s.io/kubernetes/pkg/kubelet/metrics"

func init() {
	labelledCounters = append(labelledCounters, labelledCounter{CounterVec: metrics.ContainerAlignedComputeResourcesFailure})
}

//go:build since_1_30

package main

import "k8s.io/kubernetes/pkg/kubelet/metrics"

func init() {
	plainCounters = append(plainCounters, metrics.MemoryManagerPinningRequestTotal, metrics.MemoryManagerPinningErrorsTotal)
}

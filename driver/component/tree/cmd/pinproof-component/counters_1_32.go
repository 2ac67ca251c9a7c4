//go:build since_1_32

package main

import (
	"strings"

	"k8s.io/kubernetes/pkg/kubelet/metrics"
)

func init() {
	labelledCounters = append(labelledCounters, labelledCounter{CounterVec: metrics.ContainerAlignedComputeResources}, labelledCounter{CounterVec: metrics.AdmissionRejectionsTotal})
}

// countRejection is the kubelet's own bookkeeping, which is not the managers'.
func countRejection(reason string) {
	metrics.AdmissionRejectionsTotal.WithLabelValues(rejectionLabel(reason)).Inc()
}

// rejectionLabel: the kubelet tells only reasons apart that it knows; these are those that can occur here.
func rejectionLabel(reason string) string {
	switch reason {
	case "UnexpectedAdmissionError", "TopologyAffinityError", "OutOfcpu", "OutOfmemory", "OutOfpods", "PodLevelResourcesNotSupported":
		return reason
	}
	if strings.HasPrefix(reason, "OutOf") {
		return "OutOfExtendedResources"
	}
	return "Other"
}

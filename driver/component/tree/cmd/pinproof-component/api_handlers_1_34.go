//go:build since_1_34

package main

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
)

// laterHandlers are asked after the node predicates.
func laterHandlers() []lifecycle.PodAdmitHandler {
	return []lifecycle.PodAdmitHandler{lifecycle.NewPodFeaturesAdmitHandler()}
}

// refusedOnWindows is what the last of them says there; the one that is linked is that of Linux.
func refusedOnWindows(pod *v1.Pod) *lifecycle.PodAdmitResult {
	if !resource.IsPodLevelResourcesSet(pod) {
		return nil
	}
	return &lifecycle.PodAdmitResult{
		Reason: lifecycle.PodLevelResourcesNotAdmittedReason, Message: "pod-level resources are not supported on Windows",
	}
}

//go:build !since_1_34

package main

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
)

// laterHandlers are asked after the node predicates.
func laterHandlers() []lifecycle.PodAdmitHandler { return nil }

// refusedOnWindows: these releases have no such handler.
func refusedOnWindows(*v1.Pod) *lifecycle.PodAdmitResult { return nil }

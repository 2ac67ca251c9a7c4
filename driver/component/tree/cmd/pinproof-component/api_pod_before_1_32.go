//go:build !since_1_32

package main

import v1 "k8s.io/api/core/v1"

// setPodResources: these kubelets do not know the field, and drop it when they read a manifest.
func setPodResources(*v1.Pod, v1.ResourceRequirements) {}

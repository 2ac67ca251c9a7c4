//go:build since_1_32

package main

import v1 "k8s.io/api/core/v1"

func setPodResources(pod *v1.Pod, resources v1.ResourceRequirements) {
	pod.Spec.Resources = &resources
}

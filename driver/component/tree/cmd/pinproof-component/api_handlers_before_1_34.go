//go:build !since_1_34

package main

import "k8s.io/kubernetes/pkg/kubelet/lifecycle"

// laterHandlers are asked after the node predicates.
func laterHandlers() []lifecycle.PodAdmitHandler { return nil }

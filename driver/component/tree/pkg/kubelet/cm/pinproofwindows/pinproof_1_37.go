//go:build since_1_37

// Package cm is the part of the Windows container manager that the driver needs: upstream's file, under another name, is beside this one.
package cm

import (
	cadvisor "github.com/google/cadvisor/lib/model"
	"k8s.io/kubernetes/pkg/kubelet/cm/cpumanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
)

// NewCPUFollowingStore is where a Windows memory manager looks for hints: at the CPUs that the CPU manager gave.
func NewCPUFollowingStore(base topologymanager.Store, cpus cpumanager.Manager, info *cadvisor.MachineInfo) topologymanager.Store {
	return newCPUFollowingStore(base, cpus, info)
}

//go:build since_1_37

package main

import cadvisor "github.com/google/cadvisor/lib/model"

type (
	machineInfo   = cadvisor.MachineInfo
	nodeInfo      = cadvisor.Node
	coreInfo      = cadvisor.Core
	hugePagesInfo = cadvisor.HugePagesInfo
)

"""Bugs that are seeded in a component driver: what one is, where it may lie, what areas there are."""

from __future__ import annotations

from dataclasses import dataclass

from pinproof.build import Edit

RELEASE = "1.36.3"

MEMORY = "pkg/kubelet/cm/memorymanager/memory_manager.go"
STATIC = "pkg/kubelet/cm/memorymanager/policy_static.go"
BOOKS = "pkg/kubelet/cm/memorymanager/state/state.go"
HELD = "pkg/kubelet/cm/memorymanager/state/state_mem.go"
STORED = "pkg/kubelet/cm/memorymanager/state/state_checkpoint.go"
FORMAT = "pkg/kubelet/cm/memorymanager/state/checkpoint.go"
MERGE = "pkg/kubelet/cm/topologymanager/policy.go"
RESTRICTED = "pkg/kubelet/cm/topologymanager/policy_restricted.go"
CONTAINER_SCOPE = "pkg/kubelet/cm/topologymanager/scope_container.go"
POD_SCOPE = "pkg/kubelet/cm/topologymanager/scope_pod.go"
NUMA = "pkg/kubelet/cm/topologymanager/numa_info.go"
OPTIONS = "pkg/kubelet/cm/topologymanager/policy_options.go"
TOPOLOGY = "pkg/kubelet/cm/topologymanager/topology_manager.go"
MASKS = "pkg/kubelet/cm/topologymanager/bitmask/bitmask.go"

ERROR_OF_A_NODE = (
    "metrics.ResourceManagerAllocationErrorsTotal"
    ".WithLabelValues(metrics.ResourceManagerMemory, metrics.ResourceManagerNode)"
)
"""What follows the one of two equal lines that is meant."""

AREAS = (
    "hint generation",
    "allocation",
    "accounting",
    "grouping",
    "restart validation",
    "checkpoint",
    "metrics",
    "merge",
    "removal",
    "configuration",
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """One bug."""

    name: str
    area: str
    slip: str
    """What the managers do wrong."""

    edit: Edit

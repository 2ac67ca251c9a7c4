"""The invariants by name, and what it is to break one.

An invariant is required of every release: it holds by documentation, KEP, API, or because nobody could work with a
kubelet that breaks it. That a release is known to break one (the groups before 1.32) makes it a finding with a ledger
entry, not an exception here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Invariant:
    """One sentence that holds for every kubelet."""

    id: str
    sentence: str
    source: str
    """Where it is promised, or which issue shows what happens when it does not hold."""

    since: str = ""
    """The minor that is the first to keep it; empty when all do."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where an invariant does not hold."""

    invariant: str
    """Id of the invariant."""

    path: str
    """Where in the observation, such as `machine.0.cells`."""

    expected: str
    seen: str


_ALL = (
    Invariant(
        "I-1",
        "On every NUMA node and for every memory type, free + reserved = allocatable = total - system reserved (for "
        "memory, minus all huge pages of the node), and nothing is negative or more than the total.",
        "KEP-1769, memory maps of the Memory Manager",
    ),
    Invariant(
        "I-2",
        "Groups of NUMA nodes are disjoint and mutual: every member of a group names the same members, and a node "
        "without assignments is alone.",
        "KEP-1769, group rule; kubernetes/kubernetes#113035, #123443",
        since="1.32",
    ),
    Invariant(
        "I-3",
        "A NUMA node serves either single-node allocations or the allocations of one group, never both.",
        "KEP-1769, group rule; kubernetes/kubernetes#123443",
        since="1.32",
    ),
    Invariant(
        "I-4",
        "The number of assignments of a NUMA node is the number of recorded blocks whose affinity contains it.",
        "kubernetes/kubernetes pkg/kubelet/cm/memorymanager/state",
    ),
    Invariant(
        "I-5",
        "In every group and for every memory type, what is reserved is the sum of the recorded blocks: no byte is "
        "lost, none is given twice.",
        "KEP-1769, memory maps of the Memory Manager",
    ),
    Invariant(
        "I-6",
        "A restart with the state kept and nothing changed is a no-op: the kubelet starts, what ran is not rejected, "
        "and assignments and books are as before, up to the split of a group's memory over its nodes.",
        "kubernetes.io, Memory Manager; kubernetes/kubernetes#113130, #123971, #127074",
        since="1.32",
    ),
    Invariant(
        "I-7",
        "What the kubelet reports is what it has recorded: PodResources shows the blocks of live pods and of no "
        "others, a container is created with the NUMA nodes of its blocks, and the counters follow the admissions.",
        "KEP-1769, metrics; KEP-2403; kubernetes/kubernetes#98924, #121778, #132020",
    ),
    Invariant(
        "I-8",
        "Admission is a function of the state and the pod: the same pod after the same events gets the same verdict "
        "with the same reason.",
        "kubernetes/kubernetes#128669",
    ),
    Invariant(
        "I-9",
        "No pod ends a running kubelet: it runs on after every admission, every end of a container and every removal.",
        "kubernetes.io, kubelet; kubernetes/kubernetes#113781",
    ),
    Invariant(
        "I-10",
        "A kubelet that is killed, at whatever moment, starts again on the files that it has left, and what ran before the "
        "interrupted step is not rejected.",
        "kubernetes.io, Memory Manager; kubernetes/kubernetes#84783",
    ),
    Invariant(
        "I-11",
        "The kernel holds a running container to the NUMA nodes and CPUs that the runtime was told, where the host has them.",
        'KEP-1769, "the memory manager enforces cpuset.mems through the CRI"; cgroups, cpuset.mems and cpuset.cpus',
    ),
    Invariant(
        "I-12",
        "Memory lies where it was promised: a container that is created has memory of its own only on the NUMA nodes of its "
        "blocks, these bind it and no others, and later it has none elsewhere than on the nodes that the runtime was told.",
        "KEP-1769, cpuset.mems; kubernetes.io, Memory Manager (Static policy)",
    ),
)

INVARIANTS: Mapping[str, Invariant] = MappingProxyType({invariant.id: invariant for invariant in _ALL})
"""By id."""

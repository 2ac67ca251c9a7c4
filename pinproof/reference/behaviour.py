"""How the releases differ: every difference that the reference models, as a named switch, in this one place.

A switch is named for what the kubelet does when it is on. `behaviour_of("1.31")` gives the switches of a minor; the table
below reads as a change log, because a minor names only what it changed. Source: behaviour.md 3.12, 4 and 11, with the pull
request in each docstring.

>>> behaviour_of("1.31").allocate_refuses_group_violation, behaviour_of("1.32").allocate_refuses_group_violation
(False, True)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from pinproof.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The switches of one kubelet minor."""

    minor: str
    """`1.36`."""

    allocate_refuses_group_violation: bool = False
    """A multi-node mask over a node of another group fails the admission (1.32, #123443). Before, it was allocated and
    groups could overlap (regressions A3, C1)."""

    restart_compares_group_sums: bool = False
    """The restored books may differ in how a group's memory is split over its nodes (1.32, #127074). Before, each node was
    compared for itself, and ordinary sequences made a kubelet refuse its own file (regressions A2)."""

    memory_manager_gate: Literal["open", "locked", "gone"] = "open"
    """Gate `MemoryManager`: it can be switched off, and then there is no memory manager; it is locked to on (1.32, #128517); it
    does not exist any more (1.36, #136381), and a kubelet that is given it does not start."""

    counts_pinning: bool = False
    """`memory_manager_pinning_{requests,errors}_total` exist (1.30, #121778)."""

    counts_readable_requests_only: bool = False
    """A container whose request is no whole number of bytes fails before it is counted (1.37, seen with 1.37.1)."""

    counts_rejections: bool = False
    """`admission_rejections_total{reason}` exists (1.32)."""

    counts_aligned: bool = False
    """`container_aligned_compute_resources_count` exists (1.32, #127155)."""

    counts_aligned_failures: bool = False
    """`container_aligned_compute_resources_failure_count` exists (1.33)."""

    pod_resources_lists_sidecars: bool = False
    """PodResources shows restartable init containers (1.30, #120718)."""

    pod_resources_lists_active_pods_only: bool = False
    """PodResources leaves out pods that are rejected or finished (1.34, #132028), unless the gate
    `KubeletPodResourcesListUseActivePods` is switched off."""

    knows_containers_by_name_and_image: bool = False
    """A running container is the one of the manifest if it was made of the same name and image (1.31, #124220). Before, if it
    was made of the same spec as a whole, so that a kubelet on the other side of 1.31 makes all app containers anew (#129385)."""

    starts_created_init_containers: bool = False
    """An init container that was created and not started is made anew (1.32, and patches of 1.30 and 1.31, #126543). Without, a
    kubelet that was killed in between never starts it, nor what comes after it. 1.30.14 has it, 1.29.6 and 1.31.0 have not."""

    knows_max_allowable_numa_nodes: bool = False
    """Topology Manager option `max-allowable-numa-nodes` (1.31, #124148)."""

    empty_pod_request_gives_no_hints: bool = False
    """Scope pod: an empty request is answered before the search (1.36). The outcome is the same as before."""

    merges_default_eviction: bool = False
    """Field `mergeDefaultEvictionSettings` exists (1.33)."""

    numbers_checkpoint_types: bool = False
    """The Go type of a state file is named with its format, which shows in errors (1.36, #134768)."""

    accepts_unverified_checkpoint: bool = False
    """A state file with checksum 0 or none is read without verification (1.36, #137751)."""

    accepts_checksum_of_v1_type: bool = False
    """A checksum over the dump with the struct's newer name, `MemoryManagerCheckpointV1`, is accepted too (1.36, #137751; no
    more in 1.37), unless gate `PodLevelResourceManagers` is on."""

    checkpoint_format: Literal[1, 3] = 1
    """What is written: V1 (with `PodLevelResourceManagers` V2), or from 1.37 V1 with the data repeated as text (#139626)."""

    knows_pod_level_resources: bool = False
    """`spec.resources` of a pod, with gate `PodLevelResources`, decides the QoS class and what counts against the node
    (1.32, #128407). Before, the field is unknown and dropped."""

    counts_pod_level_huge_pages: bool = False
    """Huge pages of a pod as a whole count against the node (1.33, #130577)."""

    pod_level_resources_by_default: bool = False
    """Gate `PodLevelResources` is on unless it is switched off (1.34)."""

    resizes_pod_level_resources: bool = False
    """Gate `InPlacePodLevelResourcesVerticalScaling` is on unless it is switched off (1.36). A kubelet without
    `PodLevelResources`, on which it depends, refuses to start while it is on."""

    mends_pod_level_resources: bool = False
    """The same of gates `PodLevelResourcesFixDefaulting` and `PodLevelResourcesFixKubeletQOSClass` (1.37)."""

    skips_pod_level_resources: bool = False
    """The resource managers leave a pod with pod-level resources alone: no hints, no allocation, not counted (1.34, #133279).
    Before, with the alpha gate, they serve its containers."""

    skips_unsupported_pod_level_resources: bool = False
    """The same where gate `PodLevelResources` is off (1.36, #134768)."""

    refuses_unsupported_pod_level_resources: bool = False
    """A pod with pod-level resources is rejected by a kubelet whose gate is off, and on Windows (1.34, #133046): after the
    managers have booked."""

    has_pod_level_managers: bool = False
    """Gate `PodLevelResourceManagers`: the resource managers serve pods as a whole (1.36, #134768). With it the state file is
    V2 in 1.36, and `resource_manager_*` counters exist."""

    skips_empty_requests: bool = False
    """A container without a memory request of its own, which only a managed pod can have, is left alone (1.37, #138770). In
    1.36 it is refused where the Topology Manager has no mask for it, and has a record without blocks otherwise."""

    reads_newest_cpu_file_first: bool = False
    """The CPU manager's file is tried in its formats from the newest to the oldest (1.36), so that the fault of a file that
    fits none is told in the words of the oldest."""

    prefixes_resource_manager_counters: bool = False
    """`kubelet_resource_manager_*`, and assignments end in `_total` (1.37, #138738)."""

    lists_exclusive_resources_only: bool = False
    """PodResources shows nothing for a shared container of a managed pod (1.37, #138738)."""

    has_best_effort: bool = False
    """Memory manager policy `BestEffort`, on Windows alone (1.32, #128560)."""

    best_effort_has_no_pod_hints: bool = False
    """Scope pod: policy `BestEffort` has no preference (1.36, #134768)."""

    says_that_windows_has_no_distances: bool = False
    """Option `prefer-closest-numa-nodes` is refused on Windows in words of its own (1.37, seen with 1.37.1)."""

    best_effort_follows_cpus: bool = False
    """Policy `BestEffort` takes the nodes of a container's exclusive CPUs, whatever was merged, and does not widen them
    (1.37, #139684)."""


_CHANGES: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "1.29": {},
        "1.30": {"counts_pinning": True, "pod_resources_lists_sidecars": True, "starts_created_init_containers": True},
        "1.31": {
            "knows_max_allowable_numa_nodes": True,
            "knows_containers_by_name_and_image": True,
            "starts_created_init_containers": False,
        },
        "1.32": {
            "memory_manager_gate": "locked",
            "allocate_refuses_group_violation": True,
            "restart_compares_group_sums": True,
            "counts_rejections": True,
            "counts_aligned": True,
            "knows_pod_level_resources": True,
            "has_best_effort": True,
            "starts_created_init_containers": True,
        },
        "1.33": {
            "counts_aligned_failures": True,
            "merges_default_eviction": True,
            "counts_pod_level_huge_pages": True,
        },
        "1.34": {
            "pod_resources_lists_active_pods_only": True,
            "pod_level_resources_by_default": True,
            "skips_pod_level_resources": True,
            "refuses_unsupported_pod_level_resources": True,
        },
        "1.35": {},
        "1.36": {
            "memory_manager_gate": "gone",
            "empty_pod_request_gives_no_hints": True,
            "numbers_checkpoint_types": True,
            "accepts_unverified_checkpoint": True,
            "accepts_checksum_of_v1_type": True,
            "resizes_pod_level_resources": True,
            "reads_newest_cpu_file_first": True,
            "skips_unsupported_pod_level_resources": True,
            "has_pod_level_managers": True,
            "best_effort_has_no_pod_hints": True,
        },
        "1.37": {
            "checkpoint_format": 3,
            "says_that_windows_has_no_distances": True,
            "counts_readable_requests_only": True,
            "accepts_checksum_of_v1_type": False,
            "mends_pod_level_resources": True,
            "skips_empty_requests": True,
            "prefixes_resource_manager_counters": True,
            "lists_exclusive_resources_only": True,
            "best_effort_follows_cpus": True,
        },
    }
)

MINORS = tuple(_CHANGES)
"""The minors that the reference knows, oldest first."""

LATEST = "1.36"
"""The minor that is predicted where none is named: the newest whose source was read completely."""


def _accumulate() -> dict[str, Behaviour]:
    known: dict[str, Behaviour] = {}
    current = Behaviour(minor="")
    for minor, changes in _CHANGES.items():
        current = replace(current, minor=minor, **changes)  # type: ignore[arg-type]  # checked by tests/test_behaviour.py
        known[minor] = current
    return known


_BY_MINOR = _accumulate()


def behaviour_of(version: str) -> Behaviour:
    """The switches of a release or minor (`1.36.3`, `v1.36`, `1.36`); InputError for one that is not known."""
    minor = ".".join(version.removeprefix("v").split(".")[:2])
    if minor not in _BY_MINOR:
        raise InputError(
            f"Kubernetes {version!r}", Problem("", f"the reference knows {MINORS[0]} to {MINORS[-1]}, such as {LATEST}")
        )
    return _BY_MINOR[minor]

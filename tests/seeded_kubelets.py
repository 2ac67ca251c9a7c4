"""Kubelets with one bug each: short find-and-replace edits on a release, and the case of the suites that notices.

Areas of the memory manager: hints, allocation, init containers, release, restart, the state file, counters, what the runtime
is told, and what people are told in events and in the log. Each edit is a slip that a reviewer could miss. `patch_of` turns
one into a file for `pinproof build kubelet 1.36.3 --patch bug.patch --output K`, the way a user would take.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from pinproof.build import Edit

RELEASE = "1.36.3"
MANAGER = "pkg/kubelet/cm/memorymanager/"


@dataclass(frozen=True, slots=True)
class Seeded:
    """One bug."""

    name: str
    area: str
    slip: str
    """What the kubelet does wrong."""

    edit: Edit
    caught_by: str
    """Below `suites/`: the module, `::`, the test function that fails on this kubelet."""

    subject: str = "kubelet"
    """Where it runs: `vm` where only a kernel can tell."""


SEEDED = (
    Seeded(
        "group-rule",
        "hints",
        "offers several nodes that single-node allocations already use",
        Edit(MANAGER + "policy_static.go", "!singleNUMAHint && machineState", "false && machineState"),
        "admission/test_admission_order::test_second_group_of_other_nodes_is_admitted",
    ),
    Seeded(
        "wide-is-preferred",
        "hints",
        "prefers more nodes than the request needs",
        Edit(MANAGER + "policy_static.go", "== minAffinitySize", ">= minAffinitySize"),
        "admission/test_admission_order::test_restricted_rejects_a_small_pod_while_its_nodes_are_grouped",
    ),
    Seeded(
        "takes-twice",
        "allocation",
        "takes too much from the second node of a group",
        Edit(
            MANAGER + "policy_static.go",
            "requestedSize -= nodeResourceMemoryState.Free",
            "requestedSize -= nodeResourceMemoryState.Free / 2",
        ),
        "accounting/test_books_assigned::test_group_is_filled_from_its_lowest_node",
    ),
    Seeded(
        "no-reuse",
        "init containers",
        "books memory that an init container leaves a second time",
        Edit(MANAGER + "policy_static.go", "return numaReusableMemory[resourceName]", 'return numaReusableMemory[""]'),
        "containers/test_init_reuse::test_pod_takes_the_larger_of_init_and_app",
    ),
    Seeded(
        "init-kept",
        "init containers",
        "keeps the blocks of init containers that are over",
        Edit(MANAGER + "memory_manager.go", "initContainer.Name == container.Name", 'initContainer.Name != ""'),
        "containers/test_container_life::test_each_init_is_released_when_the_next_starts",
    ),
    Seeded(
        "never-released",
        "release",
        "keeps what pods that are gone have held",
        Edit(MANAGER + "memory_manager.go", "!m.sourcesReady.AllReady()", "m.sourcesReady.AllReady()"),
        "admission/test_admission_fit::test_memory_of_a_removed_pod_serves_the_next",
    ),
    Seeded(
        "compares-nodes",
        "restart validation",
        "compares node by node at a start, not summed over a group, and refuses its own file",
        Edit(MANAGER + "policy_static.go", "range nodeState1.Cells", "range []int{nodeID}"),
        "restart/test_restart_groups::test_restart_after_the_first_of_a_group_is_gone",
    ),
    Seeded(
        "wrong-text",
        "checkpoint",
        "takes the checksum of a dump with another type name, which no older kubelet accepts",
        Edit(
            MANAGER + "state/checkpoint.go",
            "mp.Checksum = checksum.Checksum(hash.Sum32())",
            "mp.Checksum = checksum.New(mp)",
        ),
        "checkpoint/test_state_file::test_file_of_an_unused_machine",
    ),
    Seeded(
        "counted-twice",
        "counters",
        "counts every pinning request twice",
        Edit(
            MANAGER + "policy_static.go",
            'logger.Info("Allocate")',
            "metrics.MemoryManagerPinningRequestTotal.Inc()",
        ),
        "metrics/test_pinning_metrics::test_admitted_container_counts_as_one_request",
    ),
    Seeded(
        "first-node-only",
        "cpuset_mems",
        "tells the runtime only the first node of a container's memory",
        Edit("pkg/kubelet/cm/internal_container_lifecycle_linux.go", "Join(affinity, ", "Join(affinity[:1], "),
        "pinning/test_pinning_runtime::test_container_of_a_group_comes_back_to_its_group",
    ),
    Seeded(
        "one-node-untold",
        "cpuset_mems",
        "tells the runtime of memory on several nodes, and nothing of memory on one",
        Edit("pkg/kubelet/cm/internal_container_lifecycle_linux.go", "numaNodes.Len() > 0", "numaNodes.Len() > 1"),
        "pages/test_pages_of_a_node::test_node_without_cpus_holds_memory",
        subject="vm",
    ),
    Seeded(
        "pods-on-node-0",
        "cpuset_mems",
        "writes node 0 as the memory nodes of every pod's control group, which beats what its containers are told",
        Edit(
            "pkg/kubelet/cm/cgroup_manager_linux.go",
            "SkipFreezeOnSet: true,",
            'SkipFreezeOnSet: true, CpusetMems: "0",',
        ),
        "pages/test_pages_of_a_node::test_memory_lies_on_the_node_of_the_books",
        subject="vm",
    ),
    Seeded(
        "burstable-outlives",
        "oom scores",
        "protects containers of Burstable pods from being killed for want of memory, in place of Guaranteed ones",
        Edit("pkg/kubelet/qos/policy.go", "case v1.PodQOSGuaranteed:", "case v1.PodQOSBurstable:"),
        "pages/test_pages_beside_neighbours::test_pod_that_comes_to_a_full_node_gets_its_memory_there",
        subject="vm",
    ),
    Seeded(
        "event-says-little",
        "events",
        "tells the reason of a refusal in the pod's status, and not in its event",
        Edit(
            "pkg/kubelet/kubelet.go",
            'Eventf(pod, v1.EventTypeWarning, reason, "%s", message)',
            'Eventf(pod, v1.EventTypeWarning, reason, "%s", "Pod was rejected")',
        ),
        "observability/test_refusals_told::test_no_locality",
    ),
    Seeded(
        "error-is-none",
        "log",
        "logs an allocation that failed as information, without the pod",
        Edit(
            MANAGER + "memory_manager.go",
            'logger.Error(err, "Allocate error", "pod", klog.KObj(pod), "containerName", container.Name)',
            'logger.Info("Allocate error", "err", err.Error())',
        ),
        "observability/test_log_of_admissions::test_failed_allocation_is_an_error_of_the_memory_manager",
    ),
    Seeded(
        "no-durations",
        "counters",
        "counts admissions and does not say how long they took",
        Edit(
            "pkg/kubelet/cm/topologymanager/topology_manager.go",
            "metrics.TopologyManagerAdmissionDuration.Observe(float64(time.Since(startTime).Milliseconds()))",
            "_ = startTime",
        ),
        "metrics/test_metrics_page::test_every_admission_has_a_duration",
    ),
)


def patch_of(seeded: Seeded, module: Path) -> str:
    """The bug as a git-style diff against kubernetes/kubernetes; `module` is the release's module on disk."""
    edit = seeded.edit
    before = (module / edit.path).read_text(encoding="utf-8")
    after = before.replace(edit.find, edit.replace)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{edit.path}", f"b/{edit.path}"
    )
    return f"diff --git a/{edit.path} b/{edit.path}\n" + "".join(lines)

"""Memory and topology managers with one bug each: short find-and-replace edits on a release, which a campaign must notice.

Ten areas: hint generation, allocation, accounting, grouping, restart validation, checkpoint, metrics, merge, removal and
configuration. Each edit compiles and is a slip that a reviewer could miss. `python -m tests.seeded_campaigns` builds each
driver and runs `pinproof fuzz` on it.
"""

from __future__ import annotations

from pinproof.build import Edit
from tests.seeded_areas import (
    BOOKS,
    CONTAINER_SCOPE,
    ERROR_OF_A_NODE,
    FORMAT,
    HELD,
    MASKS,
    MEMORY,
    MERGE,
    NUMA,
    OPTIONS,
    POD_SCOPE,
    RESTRICTED,
    STATIC,
    STORED,
    TOPOLOGY,
    Seeded,
)
from tests.seeded_policy import OF_THE_POLICY

SEEDED = (
    *OF_THE_POLICY,
    # Restart validation
    Seeded(
        "compares-nodes",
        "restart validation",
        "compares books node by node, not summed over a group, and refuses its own file",
        Edit(STATIC, "range nodeState1.Cells", "range []int{nodeID}"),
    ),
    Seeded(
        "new-node-unnoticed",
        "restart validation",
        "accepts a file that knows fewer nodes than the machine has",
        Edit(STATIC, "if len(ms1) != len(ms2) {", "if len(ms1) > len(ms2) {"),
    ),
    Seeded(
        "empty-block-uncounted",
        "restart validation",
        "does not count a block of no bytes and refuses its own file",
        Edit(
            STATIC,
            "\t\t\tnodeState.NumberOfAssignments++\n",
            "\t\t\tif b.Size > 0 {\n\t\t\t\tnodeState.NumberOfAssignments++\n\t\t\t}\n",
        ),
    ),
    Seeded(
        "takes-all-of-a-node",
        "restart validation",
        "counts all of a node's allocatable towards a block when part of it was given before",
        Edit(
            STATIC, "requestedSize -= memoryState.Free", "requestedSize -= min(requestedSize, memoryState.Allocatable)"
        ),
    ),
    Seeded(
        "single-block-again",
        "restart validation",
        "assigns a container of the file again unless it has huge pages",
        Edit(
            STATIC,
            "s.GetMemoryBlocks(podUID, container.Name); blocks != nil {",
            "s.GetMemoryBlocks(podUID, container.Name); len(blocks) > 1 {",
        ),
    ),
    Seeded(
        "ready-at-once",
        "restart validation",
        "drops what pods hold that it has not yet been told of after a restart",
        Edit(MEMORY, "m.sourcesReady = sourcesReady\n", ""),
    ),
    # Checkpoint
    Seeded(
        "wrong-text",
        "checkpoint",
        "takes the checksum of a dump with another type name, which no older kubelet accepts",
        Edit(FORMAT, "mp.Checksum = checksum.Checksum(hash.Sum32())", "mp.Checksum = checksum.New(mp)"),
    ),
    Seeded(
        "file-lags",
        "checkpoint",
        "writes the machine state only along with the next assignment",
        Edit(
            STORED,
            "sc.cache.SetMachineState(memoryMap)\n\terr := sc.storeState()",
            "sc.cache.SetMachineState(memoryMap)\n\tvar err error",
        ),
    ),
    Seeded(
        "writes-empty-entries",
        "checkpoint",
        "writes the field of assignments also when there are none",
        Edit(
            FORMAT,
            'json:"entries,omitempty"`\n\tChecksum',
            'json:"entries"`\n\tChecksum',
        ),
    ),
    Seeded(
        "omits-zero-reserved",
        "checkpoint",
        "leaves a system reservation of zero out of the file",
        Edit(BOOKS, 'json:"systemReserved"', 'json:"systemReserved,omitempty"'),
    ),
    Seeded(
        "other-policy-when-empty",
        "checkpoint",
        "accepts the file of another policy as long as nothing is assigned in it",
        Edit(
            STORED,
            "case *MemoryManagerCheckpointV1:\n\t\tif sc.policyName != cp.PolicyName {",
            "case *MemoryManagerCheckpointV1:\n\t\tif sc.policyName != cp.PolicyName && len(cp.Entries) > 0 {",
        ),
    ),
    Seeded(
        "unchecked-when-empty",
        "checkpoint",
        "does not verify the checksum of a file without assignments",
        Edit(FORMAT, "if mp.Checksum != actualCS {", "if mp.Checksum != actualCS && len(mp.Entries) > 0 {"),
    ),
    # Metrics
    Seeded(
        "counted-twice",
        "metrics",
        "counts every pinning request twice",
        Edit(STATIC, 'logger.Info("Allocate")', "metrics.MemoryManagerPinningRequestTotal.Inc()"),
    ),
    Seeded(
        "counts-others",
        "metrics",
        "counts pinning requests of pods that are not Guaranteed",
        Edit(
            STATIC,
            'logger.V(5).Info("Exclusive memory allocation skipped, pod QoS is not guaranteed", "qos", qos)',
            "metrics.MemoryManagerPinningRequestTotal.Inc()",
        ),
    ),
    Seeded(
        "pinning-errors-uncounted",
        "metrics",
        "does not count a pinning error of a container",
        Edit(STATIC, f"metrics.MemoryManagerPinningErrorsTotal.Inc()\n\t\t\t{ERROR_OF_A_NODE}", ERROR_OF_A_NODE),
    ),
    Seeded(
        "admission-error-uncounted",
        "metrics",
        "does not count an admission error when a manager cannot allocate for a container",
        Edit(
            CONTAINER_SCOPE,
            "if err != nil {\n\t\t\tmetrics.TopologyManagerAdmissionErrorsTotal.Inc()\n",
            "if err != nil {\n",
        ),
    ),
    Seeded(
        "aligned-per-pod",
        "metrics",
        "counts an aligned pod under the container scope",
        Edit(
            POD_SCOPE,
            "metrics.ContainerAlignedComputeResources.WithLabelValues(metrics.AlignScopePod",
            "metrics.ContainerAlignedComputeResources.WithLabelValues(metrics.AlignScopeContainer",
        ),
    ),
    # Merge
    Seeded(
        "equal-to-itself",
        "merge",
        "prefers a merge of hints for different nodes",
        Edit(MERGE, "IsEqual(numaAffinities[0])", "IsEqual(numaAffinities[len(numaAffinities)-1])"),
    ),
    Seeded(
        "least-of-the-least",
        "merge",
        "measures hints that are not preferred against the provider that needs the fewest nodes",
        Edit(
            MERGE,
            "if narrowestHint.NUMANodeAffinity.Count() > maxOfMinCount {",
            "if maxOfMinCount == 0 || narrowestHint.NUMANodeAffinity.Count() < maxOfMinCount {",
        ),
    ),
    Seeded(
        "narrower-replaces",
        "merge",
        "replaces a mask of the right width by a narrower one",
        Edit(
            MERGE,
            "if candidate.NUMANodeAffinity.Count() != m.BestNonPreferredAffinityCount {",
            "if candidate.NUMANodeAffinity.Count() > m.BestNonPreferredAffinityCount {",
        ),
    ),
    Seeded(
        "impossible-is-any",
        "merge",
        "takes a resource without a possible node for one without preference",
        Edit(MERGE, "[]TopologyHint{{nil, false}}", "[]TopologyHint{{nil, true}}"),
    ),
    Seeded(
        "farthest",
        "merge",
        "takes the nodes farthest apart under prefer-closest-numa-nodes",
        Edit(NUMA, "if m1Distance < m2Distance {", "if m1Distance > m2Distance {"),
    ),
    Seeded(
        "highest-nodes",
        "merge",
        "of two masks with as many nodes takes the higher",
        Edit(MASKS, "return s.IsLessThan(mask)", "return s.IsGreaterThan(mask)"),
    ),
    Seeded(
        "restricted-takes-singles",
        "merge",
        "lets the restricted policy admit any single node",
        Edit(RESTRICTED, "return hint.Preferred", "return hint.Preferred || hint.NUMANodeAffinity.Count() == 1"),
    ),
    # Removal
    Seeded(
        "group-freed-twice",
        "removal",
        "frees too much of the second node of a group",
        Edit(STATIC, "releasedSize -= nodeResourceMemoryState.Reserved\n", ""),
    ),
    Seeded(
        "first-block-only",
        "removal",
        "frees one of the types that a container held",
        Edit(
            STATIC,
            "for _, b := range blocks {\n\t\treleasedSize",
            "for _, b := range blocks[:min(1, len(blocks))] {\n\t\treleasedSize",
        ),
    ),
    Seeded(
        "sidecar-released",
        "removal",
        "looks whether the container that starts is a sidecar, not the one that it frees",
        Edit(MEMORY, "IsRestartableInitContainer(&initContainer)", "IsRestartableInitContainer(container)"),
    ),
    Seeded(
        "init-is-stale",
        "removal",
        "takes init containers of active pods for stale",
        Edit(
            MEMORY,
            "range append(pod.Spec.InitContainers, pod.Spec.Containers...) {",
            "range pod.Spec.Containers {",
        ),
    ),
    Seeded(
        "empty-pod-kept",
        "removal",
        "keeps the entry of a pod that has no container left",
        Edit(HELD, "if len(s.assignments[podUID]) == 0 {", "if len(s.assignments) == 0 {"),
    ),
    Seeded(
        "never-released",
        "removal",
        "keeps what pods that are gone have held",
        Edit(MEMORY, "!m.sourcesReady.AllReady()", "m.sourcesReady.AllReady()"),
    ),
    # Configuration
    Seeded(
        "reserves-on-the-first",
        "configuration",
        "books every reservation on the machine's first node",
        Edit(
            MEMORY,
            "reservedMemoryConverted[int(reservation.NumaNode)][resourceName] = uint64(val)",
            "reservedMemoryConverted[machineInfo.Topology[0].Id][resourceName] += uint64(val)",
        ),
    ),
    Seeded(
        "last-page-size-only",
        "configuration",
        "takes only one size of huge pages off a node's memory",
        Edit(STATIC, "nodeHugepages[node.Id] += totalHugepagesSize", "nodeHugepages[node.Id] = totalHugepagesSize"),
    ),
    Seeded(
        "unknown-types-pass",
        "configuration",
        "accepts reserved huge pages, of which Node Allocatable knows nothing",
        Edit(
            MEMORY,
            "if memValue, set := nodeAllocatableReservation[resourceType]; set {\n\t\t\tnodeAllocatableMemory",
            "if memValue, set := nodeAllocatableReservation[resourceType]; !set {\n\t\t\tcontinue\n\t\t} else {\n"
            "\t\t\tnodeAllocatableMemory",
        ),
    ),
    Seeded(
        "closest-when-false",
        "configuration",
        "prefers the closest nodes also when the option says false",
        Edit(OPTIONS, "opts.PreferClosestNUMA = optValue", 'opts.PreferClosestNUMA = optValue || value != ""'),
    ),
    Seeded(
        "eight-is-too-many",
        "configuration",
        "refuses a machine with exactly as many nodes as are allowed",
        Edit(
            TOPOLOGY,
            "len(numaInfo.Nodes) > opts.MaxAllowableNUMANodes",
            "len(numaInfo.Nodes) >= opts.MaxAllowableNUMANodes",
        ),
    ),
    Seeded(
        "default-not-allowed",
        "configuration",
        "refuses the default for max-allowable-numa-nodes when it is written down",
        Edit(OPTIONS, "if optValue < defaultMaxAllowableNUMANodes {", "if optValue <= defaultMaxAllowableNUMANodes {"),
    ),
    Seeded(
        "reserves-more",
        "configuration",
        "accepts reserved memory above what Node Allocatable reserves",
        Edit(
            MEMORY,
            "!(*nodeAllocatableMemory).Equal(*reservedMemory)",
            "(*nodeAllocatableMemory).Cmp(*reservedMemory) > 0",
        ),
    ),
    Seeded(
        "nothing-reserved",
        "configuration",
        "starts without any memory for the system",
        Edit(STATIC, "if totalSystemReserved <= 0 {", "if totalSystemReserved < 0 {"),
    ),
)

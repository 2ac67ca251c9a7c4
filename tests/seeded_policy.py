"""Bugs of the static policy while pods come: hint generation, allocation, accounting and grouping."""

from __future__ import annotations

from pinproof.build import Edit
from tests.seeded_areas import STATIC, Seeded

OF_THE_POLICY = (
    # Hint generation
    Seeded(
        "allocatable-exactly",
        "hint generation",
        "offers no mask whose allocatable is exactly what is requested",
        Edit(
            STATIC,
            "totalAllocatableSize[resourceName] < requestedSize",
            "totalAllocatableSize[resourceName] <= requestedSize",
        ),
    ),
    Seeded(
        "free-exactly",
        "hint generation",
        "offers no mask in which exactly the request is free",
        Edit(STATIC, "+podReusableMemory < requestedSize", "+podReusableMemory <= requestedSize"),
    ),
    Seeded(
        "smallest-of-the-free",
        "hint generation",
        "prefers the fewest nodes that have enough free memory, not the fewest that could ever have it",
        Edit(
            STATIC,
            "if mask.Count() < minAffinitySize {",
            "if mask.Count() < minAffinitySize && totalFreeSize[v1.ResourceMemory] >= requestedResources[v1.ResourceMemory] {",
        ),
    ),
    Seeded(
        "hints-forget-init",
        "hint generation",
        "gives an app container hints without what the init containers leave it",
        Edit(
            STATIC,
            "podReusableMemory := p.getPodReusableMemory(pod, mask, resourceName)",
            "podReusableMemory := uint64(0)",
        ),
    ),
    Seeded(
        "again-only-single",
        "hint generation",
        "prefers what a container already holds after a restart only when it is on one node",
        Edit(STATIC, "Preferred:        true,", "Preferred:        containerNUMAAffinity.Count() == 1,"),
    ),
    Seeded(
        "again-when-shrunk",
        "hint generation",
        "repeats the hint of an init container whose block has shrunk",
        Edit(STATIC, "if b.Size != reqRsrc[b.Type] {", "if b.Size > reqRsrc[b.Type] {"),
    ),
    # Allocation
    Seeded(
        "none-wants-preferred",
        "allocation",
        "refuses memory on more nodes than needed when the topology manager says nothing, and takes it when it insists",
        Edit(
            STATIC,
            "}\n\n\t\tif !defaultHint.Preferred && bestHint.Preferred {",
            "}\n\n\t\tif !defaultHint.Preferred && !bestHint.Preferred {",
        ),
    ),
    Seeded(
        "widest-extension",
        "allocation",
        "takes the widest of equally preferred masks when it chooses by itself",
        Edit(
            STATIC,
            "hint.NUMANodeAffinity.IsNarrowerThan(bestHint.NUMANodeAffinity)",
            "bestHint.NUMANodeAffinity.IsNarrowerThan(hint.NUMANodeAffinity)",
        ),
    ),
    Seeded(
        "extends-for-memory-only",
        "allocation",
        "keeps a mask that has enough memory and too few huge pages",
        Edit(
            STATIC,
            "if totalFreeSize[resourceName] < requestedSize {",
            "if totalFreeSize[resourceName] < requestedSize && resourceName == v1.ResourceMemory {",
        ),
    ),
    Seeded(
        "takes-twice",
        "allocation",
        "takes too much from the second node of a group",
        Edit(
            STATIC,
            "requestedSize -= nodeResourceMemoryState.Free",
            "requestedSize -= nodeResourceMemoryState.Free / 2",
        ),
    ),
    Seeded(
        "any-extension",
        "allocation",
        "extends a mask to one that does not contain it",
        Edit(
            STATIC,
            "if isHintInGroup(mask.GetBits(), affinityBits) {",
            "if isHintInGroup(mask.GetBits()[1:], affinityBits) {",
        ),
    ),
    # Accounting
    Seeded(
        "reuse-set-not-lowered",
        "accounting",
        "leaves the next container as much of an init container's memory as the last one took, not what is left",
        Edit(
            STATIC,
            "[blockBitMask.String()][block.Type] -= block.Size",
            "[blockBitMask.String()][block.Type] = block.Size",
        ),
    ),
    Seeded(
        "init-sums",
        "accounting",
        "adds up what several init containers leave, though they held the same bytes",
        Edit(
            STATIC,
            "[blockBitMaskString][block.Type] = block.Size",
            "[blockBitMaskString][block.Type] += block.Size",
        ),
    ),
    Seeded(
        "reuses-sidecars",
        "accounting",
        "lets app containers reuse memory of a sidecar, which still runs",
        Edit(STATIC, "return !podutil.IsRestartableInitContainer(&initContainer)", "return true"),
    ),
    Seeded(
        "counted-where-bytes-are",
        "accounting",
        "counts an assignment only on nodes that give bytes to it",
        Edit(
            STATIC,
            "machineState[nodeID].NumberOfAssignments++\n",
            "if requestedSize > 0 {\n\t\t\tmachineState[nodeID].NumberOfAssignments++\n\t\t}\n",
        ),
    ),
    Seeded(
        "shrinks-other-types",
        "accounting",
        "takes reused huge pages off an init container's memory, too",
        Edit(STATIC, "if initContainerBlock.Type != containerBlock.Type {", 'if containerBlock.Type == "" {'),
    ),
    Seeded(
        "allocatable-is-free",
        "accounting",
        "reports what is free at the start as what can be allocated",
        Edit(STATIC, "Size:         memoryTable.Allocatable,", "Size:         memoryTable.Free,"),
    ),
    # Grouping
    Seeded(
        "pair-is-no-group",
        "grouping",
        "offers a node of a group of two for itself",
        Edit(STATIC, "len(machineState[maskBits[0]].Cells) > 1", "len(machineState[maskBits[0]].Cells) > 2"),
    ),
    Seeded(
        "group-grows",
        "grouping",
        "takes a group for equal to a larger one that begins with its nodes",
        Edit(STATIC, "if len(group1) != len(group2) {", "if len(group1) > len(group2) {"),
    ),
    Seeded(
        "once-used-is-unused",
        "grouping",
        "lets a node with one assignment join a group",
        Edit(
            STATIC,
            "!singleNUMAHint && machineState[nodeID].NumberOfAssignments > 0",
            "!singleNUMAHint && machineState[nodeID].NumberOfAssignments > 1",
        ),
    ),
    Seeded(
        "preferred-only-violates",
        "grouping",
        "checks a mask against the groups only when it is preferred",
        Edit(
            STATIC,
            "#single-vs-cross-numa-node-allocation\n\tif isAffinity",
            "#single-vs-cross-numa-node-allocation\n\tif bestHint.Preferred && isAffinity",
        ),
    ),
    Seeded(
        "single-keeps-cells",
        "grouping",
        "leaves a node in its group when memory of it alone is taken",
        Edit(
            STATIC,
            "machineState[nodeID].Cells = numaAffinity\n",
            "if len(numaAffinity) > 1 {\n\t\t\tmachineState[nodeID].Cells = numaAffinity\n\t\t}\n",
        ),
    ),
    Seeded(
        "group-outlives-its-pods",
        "grouping",
        "dissolves a group while one assignment is left",
        Edit(
            STATIC,
            "if machineState[nodeID].NumberOfAssignments == 0 {\n\t\t\t\tmachine",
            "if machineState[nodeID].NumberOfAssignments <= 1 {\n\t\t\t\tmachine",
        ),
    ),
)

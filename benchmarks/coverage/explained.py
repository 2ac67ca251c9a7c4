"""Why some of upstream's lines are never reached: every gap is named here, and every name here is a gap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.coverage.profile import Gap


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a gap is one."""

    file: str
    """The end of its name below `pkg/kubelet/cm`."""

    function: str
    """With its receiver's type; empty for the whole file."""

    reason: str
    words: str = ""
    """Words that are among the lines of the gap; empty for every gap of the function."""

    def explains(self, gap: Gap) -> bool:
        """Whether it speaks of this gap."""
        return (
            gap.function.file.endswith(self.file)
            and self.function in {"", gap.function.name}
            and self.words in gap.text
        )


def sort_out(
    gaps: Iterable[Gap], explanations: Sequence[Explanation]
) -> tuple[dict[Gap, Explanation], list[Gap], list[Explanation]]:
    """Gaps with their explanation, gaps without one, and explanations of nothing."""
    explained: dict[Gap, Explanation] = {}
    bare: list[Gap] = []
    for gap in gaps:
        reason = next((each for each in explanations if each.explains(gap)), None)
        if reason:
            explained[gap] = reason
        else:
            bare.append(gap)
    used = set(explained.values())
    return explained, bare, [each for each in explanations if each not in used]


def _for(file: str, *functions: str, reason: str, words: str = "") -> tuple[Explanation, ...]:
    return tuple(Explanation(file, function, reason, words) for function in functions)


TESTS_ONLY = "Nothing but upstream's own tests calls it."
OTHER_MANAGERS = (
    "The CPU manager or the device manager may call it, in configurations that are not modelled, or nobody does."
)
NO_FOLDER = "The folder of the state file cannot be made. The driver's files are in memory."
DISK_FULL = (
    "The state file cannot be written. The suites fill the disk under what containers are given, not under what pods with \
pod-level resources are."
)
TOO_HIGH = (
    "A NUMA node id above 63 would have to stand in blocks or masks that were made before; making them fails first."
)
EARLIER = "The same has been found out before on the way here, so it cannot come out differently now."
NEVER = "Upstream has it for safety: no input leads there."
IN_THE_KUBELET = "The kubelet asks for it outside the managers; the kubelet subject does."

EXPLANATIONS: tuple[Explanation, ...] = (
    *_for("fake_memory_manager.go", "", reason="A stand-in for the tests of other packages of the kubelet."),
    *_for("fake_topology_manager.go", "", reason="A stand-in for the tests of other packages of the kubelet."),
    # memory_manager.go
    *_for(
        "memory_manager.go",
        "sourcesReadyStub.AddSource",
        "sourcesReadyStub.AllReady",
        reason="It stands in until the manager is started, and nobody asks before.",
    ),
    *_for(
        "memory_manager.go",
        "manager.RemoveContainer",
        reason="The kubelet no longer calls it: stale state is removed by sweeping.",
    ),
    *_for("memory_manager.go", "manager.GetMemory", reason=IN_THE_KUBELET),
    # policy_static.go
    *_for(
        "policy_static.go", "staticPolicy.validatePodScopeResources", words="getPodRequestedResources", reason=EARLIER
    ),
    *_for("policy_static.go", "staticPolicy.AllocatePod", words="return err\n", reason=EARLIER),
    *_for(
        "policy_static.go",
        "staticPolicy.AllocatePod",
        words="default preferred hint",
        reason="It takes a merged hint without nodes that is preferred, for a pod whose memory has hints: those have nodes.",
    ),
    *_for(
        "policy_static.go",
        "staticPolicy.AllocatePod",
        words="extended preferred hint",
        reason="A merged hint is preferred where the memory's own hint is, which contains it; so a preferred one to widen it to "
        "is always there. For containers, init containers may take it away meanwhile; a pod is asked for at once.",
    ),
    *_for("policy_static.go", "regenerateHints", words="Failed to generate NUMA bitmask", reason=TOO_HIGH),
    *_for("policy_static.go", "isNUMAAffinitiesEqual", reason=TOO_HIGH),
    *_for(
        "policy_static.go",
        "staticPolicy.GetPodTopologyHints",
        words="return nil",
        reason="A Guaranteed pod asks for memory, so its request is never empty.",
    ),
    *_for(
        "policy_static.go",
        "findBestHint",
        reason="Hints come narrow ones first and the narrowest are the preferred ones, so none of them comes behind another.",
    ),
    # state
    *_for("state/state_checkpoint.go", "NewCheckpointState", reason=NO_FOLDER),
    *_for(
        "state/state_checkpoint.go",
        "stateCheckpoint.storeStateV2",
        "stateCheckpoint.SetPodMemoryBlocks",
        "stateCheckpoint.DeletePod",
        reason=DISK_FULL,
    ),
    *_for("state/state_checkpoint.go", "stateCheckpoint.restoreState", words="default", reason=NEVER),
    *_for(
        "state/state_checkpoint.go",
        "stateCheckpoint.SetMemoryAssignments",
        "stateCheckpoint.SetPodMemoryAssignments",
        "stateCheckpoint.ClearState",
        reason=TESTS_ONLY,
    ),
    *_for("state/state_mem.go", "stateMemory.ClearState", reason=TESTS_ONLY),
    *_for(
        "state/state_mem.go", "stateMemory.Delete", reason="The policy looks for the blocks before it has them deleted."
    ),
    # topologymanager
    *_for(
        "bitmask/bitmask.go",
        "NewEmptyBitMask",
        "bitMask.Remove",
        "bitMask.Or",
        "bitMask.Clear",
        "bitMask.Fill",
        "bitMask.IsEmpty",
        "bitMask.AnySet",
        "bitMask.IsGreaterThan",
        "Or",
        reason=OTHER_MANAGERS,
    ),
    *_for("bitmask/bitmask.go", "bitMask.IsSet", reason=NEVER),
    *_for("numa_info.go", "NUMADistances.CalculateAverageFor", reason=NEVER),
    *_for(
        "policy_none.go",
        "nonePolicy.Name",
        "nonePolicy.canAdmitPodResult",
        "nonePolicy.Merge",
        reason="With policy none the Topology Manager has a scope that asks nobody, its policy included.",
    ),
    *_for(
        "policy_options.go",
        "CheckPolicyOptionAvailable",
        reason="Every option of this release is stable; there is none left to be alpha or beta.",
    ),
    *_for("policy_options.go", "NewPolicyOptions", reason=NEVER),
    *_for("scope.go", "scope.Name", "scope.GetPolicy", reason=OTHER_MANAGERS),
    *_for("topology_manager.go", "manager.Name", "manager.GetPolicy", reason=OTHER_MANAGERS),
    *_for("topology_manager.go", "TopologyHint.IsEqual", "TopologyHint.LessThan", reason=OTHER_MANAGERS),
    *_for(
        "topology_manager.go",
        "PodLevelTopologyAffinityError.Error",
        reason="Whoever makes this error says why, so the sentence for the case without a reason is never used.",
    ),
    *_for(
        "topology_manager.go",
        "NewManager",
        words="unknown",
        reason="The kubelet refuses a configuration with such a policy or scope before it makes the manager.",
    ),
)

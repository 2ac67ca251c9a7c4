"""State files that real kubelets of every release wrote, and this release on each of them.

The files are those of `fixtures/checkpoints/`, where `recorded.yaml` says which kubelet wrote them. A case takes all files of
one writer, one restart each, on a node without pods: what is there afterwards comes from the file and from nowhere else.
"""

from __future__ import annotations

import pytest

from pinproof.history import Block, Observation
from pinproof.skew.golden import Golden, Writer, golden, recorded
from pinproof.suite import Prove, block, case, none_policy, replaced, restart, static

GATE = {"PodLevelResourceManagers": True}
STATIC = static(topology="restricted", cpu="static")
MANAGED = static(topology="restricted", cpu="static", gates=GATE)
OFF, OFF_MANAGED = none_policy(), none_policy(gates=GATE)

STARTS = ""
REMEDY = 'please drain this node and delete the memory manager checkpoint file "/var/lib/kubelet/memory_manager_state"'
CPU_REMEDY = 'please drain this node and delete the CPU manager checkpoint file "/var/lib/kubelet/cpu_manager_state"'
CORRUPTED = f"could not restore state from checkpoint: checkpoint is corrupted, {REMEDY}"
CPU_CORRUPTED = f"could not restore state from checkpoint: checkpoint is corrupted, {CPU_REMEDY}"
CPU_FOREIGN = (
    "could not restore state from checkpoint: json: cannot unmarshal object into Go struct field "
    f"CPUManagerCheckpointV1.entries of type string, {CPU_REMEDY}"
)
DIFFERENT = "[memorymanager] the expected machine state is different from the real one"

READERS = ("before 1.36", "1.36", "1.36 with the gate", "1.37", "1.37 with the gate")
MEMORY_TABLE = {
    "format 1": (STARTS, STARTS, STARTS, STARTS, STARTS),
    "format 2": (CORRUPTED, CORRUPTED, STARTS, STARTS, STARTS),
    "format 2, a pod as a whole": (CORRUPTED, CORRUPTED, STARTS, DIFFERENT, STARTS),
    "format 3": (STARTS, STARTS, STARTS, STARTS, STARTS),
    "format 3, a pod as a whole": (DIFFERENT, DIFFERENT, DIFFERENT, DIFFERENT, STARTS),
}
"""What was written → how each of `READERS` answers: it starts, or with these words it does not."""

CPU_TABLE = {
    "format 2": (STARTS, STARTS, STARTS, STARTS, STARTS),
    "format 3": (CPU_CORRUPTED, CPU_FOREIGN, STARTS, STARTS, STARTS),
    "format 3, no entries": (CPU_CORRUPTED, CPU_CORRUPTED, STARTS, STARTS, STARTS),
    "format 4": (STARTS, STARTS, STARTS, STARTS, STARTS),
}

MEMORY_FORMATS = {"1.36.3+PodLevelResourceManagers": 2, "1.37.1": 3, "1.37.1+PodLevelResourceManagers": 3}
CPU_FORMATS = {"1.36.3+PodLevelResourceManagers": 3, "1.37.1": 4, "1.37.1+PodLevelResourceManagers": 4}
"""Writer → format, for those that do not write the oldest."""

ASSIGNMENTS: dict[str, dict[str, dict[str, list[Block]]]] = {
    "no-pods": {},
    "single-node": {"a.2": {"c": [block(1, memory="4Gi")]}, "b.3": {"c": [block(0, memory="1Gi")]}},
    "group": {"a.1": {"c": [block((0, 1), memory="15Gi")]}, "b.2": {"c": [block((0, 1), memory="1Gi")]}},
    "hugepages": {
        "a.1": {
            "c": [block(0, hugepages_2Mi="512Mi"), block(0, memory="2Gi")],
            "d": [block(0, hugepages_1Gi="1Gi"), block(0, memory="1Gi")],
        }
    },
    "init-container": {"a.1": {"i": [block(0, memory="1Gi")], "c": [block(0, memory="3Gi")]}},
    "sidecar": {"a.1": {"s": [block(0, memory="1Gi")], "c": [block(0, memory="3Gi")]}},
    "pod-level": {"a.1": {"own": [block(0, memory="2Gi")], "shared": [block(0, memory="4Gi")]}},
}
"""Scenario → UID → container → blocks in the file."""

CPUS = {
    "no-pods": ("0-15", {}),
    "single-node": ("0,2-7,10-15", {"a.2": {"c": "8-9"}, "b.3": {"c": "1"}}),
    "group": ("0,3-15", {"a.1": {"c": "1-2"}}),
    "hugepages": ("0,4-15", {"a.1": {"c": "1-2", "d": "3"}}),
    "init-container": ("0,3-15", {"a.1": {"i": "1-2", "c": "1-2"}}),
    "sidecar": ("0,4-15", {"a.1": {"s": "1", "c": "2-3"}}),
    "pod-level": ("0,4-15", {"a.1": {"own": "1", "shared": "2-3"}}),
}
"""Scenario → default set and exclusive CPUs in the file."""

WRITERS = pytest.mark.parametrize("writer", recorded(), ids=lambda writer: writer.name)
POLICY_NONE = "policy-none"


def files_of(writer: Writer) -> list[Golden]:
    """Everything that a writer has written under policy Static."""
    return [golden(writer, name) for name in writer.scenarios() if name != POLICY_NONE]


def column(prove: Prove, *, gate: bool) -> int:
    """Which of `READERS` the subject is."""
    minors = {"1.36": 1, "1.37": 3}
    return minors[prove.minor] + gate if prove.minor in minors else 0


def memory_row(file: Golden) -> str:
    """The row of `MEMORY_TABLE` for a file."""
    whole = ", a pod as a whole" if file.scenario == "pod-level" else ""
    return f"format {MEMORY_FORMATS.get(file.writer.name, 1)}{whole}"


def cpu_row(file: Golden) -> str:
    """The row of `CPU_TABLE` for a file."""
    number = CPU_FORMATS.get(file.writer.name, 2)
    return f"format {number}, no entries" if (number, file.scenario) == (3, "no-pods") else f"format {number}"


def answered(seen: Observation, answer: str) -> bool:
    """Whether the kubelet started, or refused in these words."""
    return seen.running if answer == STARTS else not seen.running and answer in (seen.refusal or "")


def assignments(seen: Observation) -> dict[str, dict[str, list[Block]]]:
    """What was observed, as a literal would say it."""
    return {uid: {name: sorted(held) for name, held in of.items()} for uid, of in (seen.assignments or {}).items()}


def memory_files(prove: Prove, writer: Writer, *, gate: bool) -> None:
    """Start on every memory manager's file of a writer: with all that is in it, or not at all."""
    files = files_of(writer)
    seen = prove(*(restart(state=replaced(file.memory)) for file in files))

    for step, file in enumerate(files, 1):
        now, answer = seen.observation(step), MEMORY_TABLE[memory_row(file)][column(prove, gate=gate)]
        assert answered(now, answer), (file.scenario, answer, now.refusal)
        assert file.memory == now.state_file
        if now.running:
            assert ASSIGNMENTS[file.scenario] == assignments(now)
            whole = {"a.1": (block(0, memory="6Gi"),)} if file.scenario == "pod-level" else {}
            assert whole == now.pod_assignments


def cpu_files(prove: Prove, writer: Writer, *, gate: bool) -> None:
    """Start on every CPU manager's file of a writer: with all CPUs that are in it, or not at all."""
    files = files_of(writer)
    seen = prove(*(restart(state="lose", cpu_state=replaced(file.cpu)) for file in files))

    for step, file in enumerate(files, 1):
        now, answer = seen.observation(step), CPU_TABLE[cpu_row(file)][column(prove, gate=gate)]
        assert answered(now, answer), (file.scenario, answer, now.refusal)
        if now.running:
            assert now.cpu is not None
            assert CPUS[file.scenario] == (now.cpu.default, now.cpu.entries)


def files_of_policy_none(prove: Prove, *, gate: bool) -> None:
    """Start on the files of every writer under policy None."""
    files = [golden(writer, POLICY_NONE) for writer in recorded()]
    seen = prove(*(restart(state=replaced(file.memory), cpu_state=replaced(file.cpu)) for file in files))

    for step, file in enumerate(files, 1):
        at = column(prove, gate=gate)
        now, memory = seen.observation(step), MEMORY_TABLE[memory_row(file)][at]
        answer = CPU_CORRUPTED if memory else STARTS  # the CPU manager comes first
        assert answered(now, answer), (file.writer.name, answer, now.refusal)
        assert file.memory == now.state_file


@WRITERS
@case("MM-SKEW-001", "MM-SKEW-002", "MM-SKEW-004", machines="hugepages_even", kubelet=STATIC)
def test_memory_files(prove: Prove, writer: Writer) -> None:
    """With gate `PodLevelResourceManagers` off, as it is by default."""
    memory_files(prove, writer, gate=False)


@WRITERS
@case("MM-SKEW-001", "MM-SKEW-002", "MM-SKEW-004", machines="hugepages_even", kubelet=MANAGED, since="1.36")
def test_memory_files_with_the_gate(prove: Prove, writer: Writer) -> None:
    """With the gate on."""
    memory_files(prove, writer, gate=True)


@WRITERS
@case("MM-SKEW-003", machines="hugepages_even", kubelet=STATIC)
def test_cpu_files(prove: Prove, writer: Writer) -> None:
    """With gate `PodLevelResourceManagers` off."""
    cpu_files(prove, writer, gate=False)


@WRITERS
@case("MM-SKEW-003", machines="hugepages_even", kubelet=MANAGED, since="1.36")
def test_cpu_files_with_the_gate(prove: Prove, writer: Writer) -> None:
    """With the gate on."""
    cpu_files(prove, writer, gate=True)


@case("MM-SKEW-001", "MM-SKEW-002", "MM-SKEW-003", "MM-SKEW-004", machines="hugepages_even", kubelet=OFF)
def test_files_of_policy_none(prove: Prove) -> None:
    """Which hold nothing, and are verified all the same."""
    files_of_policy_none(prove, gate=False)


@case("MM-SKEW-001", "MM-SKEW-003", "MM-SKEW-004", machines="hugepages_even", kubelet=OFF_MANAGED, since="1.36")
def test_files_of_policy_none_with_the_gate(prove: Prove) -> None:
    """All of them."""
    files_of_policy_none(prove, gate=True)

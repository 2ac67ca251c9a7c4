"""Pod-level resources against behaviour.md 10: what releases make of them, the pool of a managed pod, and its life."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import Block, Observation
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.checkpoint import checksum, decode, version_of
from pinproof.reference.configuration import pod_level_of
from pinproof.reference.model import predict
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.pod_level import with_resources
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, Step
from tests.reference_values import GIB, container, machine, pod, small, static

ON = (("PodLevelResourceManagers", True),)
SHARED = Container("shared")


def whole(name: str, *containers: Container, memory: str, cpu: str = "2", init: tuple[Container, ...] = ()) -> Pod:
    """A pod that asks for this much as a whole."""
    amounts = (("cpu", Quantity.parse(cpu)), ("memory", Quantity.parse(memory)))
    return with_resources(pod(name, *containers, init=init), amounts, amounts)


def managed(policy: str = "restricted", *, scope: str = "pod", cpu: str = "none") -> KubeletConfig:
    """Two nodes, with pod-level resource managers."""
    return replace(static(2, policy, scope=scope, cpu=cpu), feature_gates=ON)


def seen(config: KubeletConfig, *steps: Step, minor: str = "1.36", gib: int = 9) -> list[Observation]:
    """What the only allowed history shows, on two nodes of so many GiB."""
    (history,) = predict(Scenario("x", machine(gib, gib), config, steps), behaviour_of(minor)).histories
    return list(history.observations)


def held(observation: Observation, name: str) -> dict[str, int]:
    """Container → bytes of memory in its blocks."""
    assignments = observation.assignments or {}
    return {c: sum(block.size for block in blocks) for c, blocks in assignments.get(name, {}).items()}


def reserved(observation: Observation) -> int:
    """Bytes of memory that pods have on all nodes."""
    return sum(node.memory["memory"].reserved for node in (observation.machine or {}).values())


def reason(observation: Observation, name: str) -> str:
    """Why a pod was rejected; empty if it was not."""
    return (observation.pods or {})[name].reason


@pytest.mark.parametrize(
    ("minor", "gates", "expected"),
    [
        ("1.31", {}, "ignored"),
        ("1.33", {}, "ignored"),
        ("1.32", {"PodLevelResources": True}, "counted-without-pages"),
        ("1.33", {"PodLevelResources": True}, "counted"),
        ("1.34", {}, "skipped"),
        ("1.34", {"PodLevelResources": False}, "ignored"),
        ("1.36", {"PodLevelResources": False}, "unsupported"),
        ("1.35", {"PodLevelResourceManagers": True}, "skipped"),
        ("1.36", {"PodLevelResourceManagers": True}, "managed"),
    ],
)
def test_what_a_release_makes_of_them(minor: str, gates: dict[str, bool], expected: str) -> None:
    """It follows from the minor and two gates."""
    assert expected == pod_level_of(KubeletConfig(feature_gates=tuple(gates.items())), behaviour_of(minor))


@pytest.mark.parametrize(("minor", "pinned"), [("1.31", True), ("1.33", True), ("1.34", False), ("1.36", False)])
def test_containers_are_pinned_up_to_1_33(minor: str, pinned: bool) -> None:
    """From 1.34 the memory manager leaves the pod alone, and does not count it."""
    after = seen(static(2, "restricted"), Admit(whole("a", container("c", memory="1Gi"), memory="2Gi")), minor=minor)[1]

    assert pinned == bool(held(after, "a"))
    assert int(pinned) == (after.counters or {})["kubelet_memory_manager_pinning_requests_total"]


def test_parts_of_a_pool() -> None:
    """A sidecar is gone for all after it, an init container takes all that is there, exclusive containers go before shared."""
    init = (
        container("early", memory="3Gi"),
        container("side", memory="1Gi", sidecar=True),
        Container("late"),
        Container("shared-side", restart_always=True),
    )
    after = seen(managed(), Admit(whole("a", container("own", memory="2Gi"), SHARED, memory="7Gi", init=init)))[1]

    gib = {"early": 3, "side": 1, "late": 6, "shared-side": 4, "own": 2, "shared": 4}
    assert {name: size * GIB for name, size in gib.items()} == held(after, "a")
    assert {"a": (Block((0,), "memory", 7 * GIB),)} == after.pod_assignments
    assert 7 * GIB == reserved(after)


@pytest.mark.parametrize(
    ("init", "words"),
    [
        (
            (container("side", memory="2Gi", sidecar=True), Container("late")),
            "pod has shared init containers but no memory",
        ),
        ((), "sum of exclusive container memory requests equals pod budget"),
    ],
)
def test_empty_pool(init: tuple[Container, ...], words: str) -> None:
    """Impossible to hints, and refused with words of its own by the policy that asks no more than that."""
    app = container("own", memory="2Gi" if not init else "1Gi")
    full = whole("a", app, SHARED, memory="2Gi" if not init else "3Gi", cpu="3", init=init)
    full = (
        full
        if not init
        else replace(full, containers=(SHARED,), requests=_memory(full, "2Gi"), limits=_memory(full, "2Gi"))
    )
    strict = seen(managed(), Admit(full))[1]
    loose = seen(managed("best-effort"), Admit(full))[1]

    assert "TopologyAffinityError" == reason(strict, "a")
    assert "EmptyPodSharedPoolError" == reason(loose, "a")
    assert words in (loose.pods or {})["a"].message
    assert 1 == (loose.counters or {})['kubelet_admission_rejections_total{reason="Other"}']


def _memory(made: Pod, amount: str) -> tuple[tuple[str, Quantity], ...]:
    return tuple((name, Quantity.parse(amount) if name == "memory" else old) for name, old in made.requests)


def test_memory_of_a_pod_goes_with_its_last_record() -> None:
    """The end of an init container drops a record and frees nothing; a removed pod frees all at the next admission."""
    both = whole("a", SHARED, memory="6Gi", init=(container("i", memory="1Gi"),))
    after = seen(managed(), Admit(both), Exit("a", "i"), Remove("a"), Admit(small("b", "1Gi")))

    assert ({"shared": 6 * GIB}, 6 * GIB) == (held(after[2], "a"), reserved(after[2]))
    assert ({}, GIB) == (after[4].pod_assignments, reserved(after[4]))


@pytest.mark.parametrize("minor", ["1.36", "1.37"])
def test_pod_is_allocated_again_at_a_restart(minor: str) -> None:
    """What it had is never given back (#140906), and the next start finds books that its blocks do not explain."""
    after = seen(managed("best-effort"), Admit(whole("a", SHARED, memory="2Gi")), Restart(), Restart(), minor=minor)

    assert (2 * GIB, 4 * GIB) == (reserved(after[1]), reserved(after[2]))
    assert "the expected machine state is different from the real one" in (after[3].refusal or "")


def test_cpus_of_a_pod() -> None:
    """An exclusive container takes whole CPUs of the pod's, the others share the rest; after a restart hints are impossible."""
    shared = whole("a", container("own", cpu="1", memory="1Gi"), SHARED, memory="3Gi", cpu="3")
    after = seen(managed("restricted", cpu="static"), Admit(shared), Restart())

    assert after[1].cpu is not None
    assert {"own": "1", "shared": "2-3"} == after[1].cpu.entries["a"]
    assert "0,4-7" == after[1].cpu.default
    assert "TopologyAffinityError" == reason(after[2], "a")


@pytest.mark.parametrize(("minor", "admitted"), [("1.36", False), ("1.37", True)])
def test_shared_container_with_scope_container(minor: str, admitted: bool) -> None:
    """1.36 allocates an empty request, and refuses where there is no mask for it (#138770)."""
    config = managed("none", scope="container")
    after = seen(config, Admit(whole("a", container("own", memory="1Gi"), SHARED, memory="2Gi")), minor=minor)[1]

    assert admitted == (reason(after, "a") == "")
    assert {"own": GIB} == held(after, "a")


def test_state_file_of_1_36_has_pod_entries() -> None:
    """Its checksum covers them, and no kubelet without the gate takes it; the CPU manager's own file is refused before that."""
    after = seen(
        managed(), Admit(whole("a", SHARED, memory="2Gi")), Restart(kubelet=static(2, "restricted", scope="pod"))
    )
    written = decode(after[1].state_file or "")

    assert (2, checksum(written, version=2)) == (version_of(written), written.checksum)
    assert {"a.1": (Block((0,), "memory", 2 * GIB),)} == written.pod_entries
    assert "cpu_manager_state" in (after[2].refusal or "")


def test_state_file_of_1_37_is_read_without_the_gate() -> None:
    """Its pod entries are dropped, and the parts of the containers are taken for what was allocated."""
    two = whole("a", SHARED, Container("other"), memory="2Gi")
    off = static(2, "restricted", scope="pod")
    one, both = (
        seen(managed(), Admit(made), Restart(kubelet=off), minor="1.37")[2]
        for made in (whole("a", SHARED, memory="2Gi"), two)
    )

    assert (True, {}) == (one.running, one.pod_assignments)
    assert "the expected machine state is different from the real one" in (both.refusal or "")


def test_file_is_written_when_something_changed() -> None:
    """A kubelet that only read a file of another format leaves it as it was."""
    off = static(2, "restricted")
    after = seen(off, Restart(kubelet=managed()), Restart(kubelet=off))

    assert after[0].state_file == after[1].state_file
    assert after[2].running


def test_resource_manager_counters() -> None:
    """They exist with the gate alone, and tell a pod's own resources from the node's."""
    mixed = whole("a", container("own", memory="1Gi"), SHARED, memory="2Gi")
    counters = seen(managed(), Admit(mixed), Admit(small("b", "1Gi")))[2].counters or {}
    renamed = seen(managed(), Admit(mixed), minor="1.37")[1].counters or {}
    off = seen(static(2, "restricted"), Admit(small("b", "1Gi")))[1].counters or {}

    assert 2 == counters['resource_manager_allocations_total{resource_name="memory",source="pod"}']
    assert 1 == counters['resource_manager_allocations_total{resource_name="memory",source="node"}']
    kinds = {
        kind: counters[f'resource_manager_container_assignments{{assignment_type="{kind}",resource_name="memory"}}']
        for kind in ("node_exclusive", "pod_exclusive", "pod_shared")
    }
    assert {"node_exclusive": 1, "pod_exclusive": 1, "pod_shared": 1} == kinds
    total = 'kubelet_resource_manager_container_assignments_total{assignment_type="pod_shared",resource_name="memory"}'
    assert 1 == renamed[total]
    assert [] == [name for name in off if "resource_manager" in name]


@pytest.mark.parametrize(("minor", "booked"), [("1.35", True), ("1.36", False)])
def test_pod_is_rejected_without_the_feature(minor: str, booked: bool) -> None:
    """In the last of the kubelet's checks: up to 1.35 its containers have been pinned by then."""
    gates = (("PodLevelResources", False), ("InPlacePodLevelResourcesVerticalScaling", False))
    config = replace(static(2, "restricted"), feature_gates=gates if minor == "1.36" else gates[:1])
    after = seen(config, Admit(whole("a", container("own", memory="1Gi"), memory="2Gi")), minor=minor)[1]

    assert "PodLevelResourcesNotSupported" == reason(after, "a")
    assert booked == bool(held(after, "a"))


def test_gates_depend_on_each_other() -> None:
    """A kubelet whose gates need another that is off says so and ends."""
    config = replace(managed(), feature_gates=(*ON, ("PodLevelResources", False)))
    histories = predict(Scenario("x", machine(9, 9), config), behaviour_of("1.36")).histories

    refusals = {history.observations[0].refusal or "" for history in histories}
    assert 2 == len(refusals)
    assert all(
        "PodLevelResourceManagers is enabled, but depends on features that are disabled" in text for text in refusals
    )


@pytest.mark.parametrize(("minor", "shown"), [("1.36", ["own", "shared"]), ("1.37", ["own"])])
def test_pod_resources_of_shared_containers(minor: str, shown: list[str]) -> None:
    """From 1.37 PodResources shows what is a container's own."""
    mixed = whole("a", container("own", memory="1Gi"), SHARED, memory="2Gi")
    listed = (seen(managed(), Admit(mixed), minor=minor)[1].pod_resources or {})["a"]

    assert shown == [name for name, resources in listed.items() if resources.memory]

"""Another hint provider in the merge (behaviour.md 5.2), and the policy of Windows (9)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import Observation
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, Scenario, Step
from tests.reference_values import GIB, container, machine, pod, small, static

GPU = "example.com/gpu"
Given = tuple[tuple[tuple[int, ...] | None, bool], ...] | None


def hinted(given: Given, memory: str = "2Gi") -> Pod:
    """A pod whose device is answered so, in both scopes."""
    plain = small("a", memory)
    hints = ((GPU, given),)
    return replace(plain, hints=hints, containers=(replace(plain.containers[0], hints=hints),))


def after(config: KubeletConfig, *steps: Step, minor: str = "1.36", os: str = "linux", cpus: int = 4) -> Observation:
    """The last observation of the only allowed history, on two nodes of 9 GiB."""
    nodes = machine(9, 9, cpus=cpus)
    scenario = Scenario("x", replace(nodes, os="windows") if os == "windows" else nodes, config, steps)
    (history,) = predict(scenario, behaviour_of(minor)).histories
    return history.observations[-1]


def nodes_of(observation: Observation, name: str = "a") -> list[tuple[int, ...]]:
    """The nodes of a pod's blocks."""
    containers = (observation.assignments or {}).get(name, {})
    return [block.affinity for blocks in containers.values() for block in blocks]


@pytest.mark.parametrize("scope", ["container", "pod"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((((1,), True),), [(1,)]),
        ((((1,), True), ((0, 1), False)), [(1,)]),
        (None, [(0,)]),
        (((None, True),), [(0,)]),
        ((), []),
        (((None, False),), []),
        ((((0,), False), ((1,), True)), [(1,)]),
    ],
)
def test_device_in_the_merge(given: Given, expected: list[tuple[int, ...]], scope: str) -> None:
    """Policy restricted: memory goes where the device is; no preference changes nothing, an empty list rejects the pod."""
    assert expected == nodes_of(after(static(2, "restricted", scope=scope), Admit(hinted(given))))


def test_impossible_device_and_best_effort() -> None:
    """Policy best-effort admits, and memory has what it prefers."""
    assert [(0,)] == nodes_of(after(static(2, "best-effort"), Admit(hinted(()))))


def test_nobody_is_asked_without_a_policy() -> None:
    """Policy none."""
    assert [(0,)] == nodes_of(after(static(2, "none"), Admit(hinted((((1,), True),)))))


def windows(policy: str = "restricted", *, scope: str = "container", cpu: str = "none") -> KubeletConfig:
    """Policy BestEffort, with a threshold of its own, since the default of Windows is another."""
    config = replace(static(2, policy, scope=scope, cpu=cpu), memory_manager_policy="BestEffort")
    return replace(config, eviction_hard=(("memory.available", "100Mi"),))


@pytest.mark.parametrize(
    ("policy", "os", "minor", "words"),
    [
        ("BestEffort", "linux", "1.36", 'policy "BestEffort" is not available for platform "linux"'),
        ("BestEffort", "linux", "1.31", 'unknown policy: "BestEffort"'),
        ("Static", "windows", "1.36", 'policy "Static" is not available on Windows'),
    ],
)
def test_each_system_has_its_policy(policy: str, os: str, minor: str, words: str) -> None:
    """From 1.32; before there was nothing on Windows."""
    seen = after(replace(windows(), memory_manager_policy=policy), os=os, minor=minor)

    assert words == seen.refusal


@pytest.mark.parametrize("minor", ["1.32", "1.36", "1.37"])
def test_best_effort_accounts_as_static_does(minor: str) -> None:
    """Scope container: the same blocks, under another policy name."""
    seen = after(windows(), Admit(small("a", "6Gi")), Admit(small("b", "6Gi")), minor=minor, os="windows")

    assert ("BestEffort", [(0,)], [(1,)]) == (seen.policy, nodes_of(seen), nodes_of(seen, "b"))


@pytest.mark.parametrize(("minor", "expected"), [("1.35", [(1,)]), ("1.36", [(0, 1)])])
def test_pod_hints_of_best_effort(minor: str, expected: list[tuple[int, ...]]) -> None:
    """From 1.36 there are none with scope pod: nobody prefers anything, and memory is accounted to all nodes together."""
    steps = (Admit(small("a", "6Gi")), Admit(small("b", "6Gi")))
    seen = after(windows(scope="pod"), *steps, minor=minor, os="windows")

    assert expected == nodes_of(seen, "b")


@pytest.mark.parametrize(("minor", "expected"), [("1.36", [(0, 1)]), ("1.37", [(1,)])])
def test_memory_follows_the_cpus(minor: str, expected: list[tuple[int, ...]]) -> None:
    """1.37: the block is on the node of the CPUs, although that has too little memory; before, on nodes with enough."""
    large = pod("a", container("c", cpu="4", memory="12Gi"))
    seen = after(windows("best-effort", cpu="static"), Admit(large), minor=minor, os="windows")

    assert expected == nodes_of(seen)
    assert minor == "1.36" or 12 * GIB > (seen.machine or {})[1].memory["memory"].total

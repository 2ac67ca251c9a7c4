"""The feature gate that makes PodResources list pods that are over, as releases before 1.34 do."""

from __future__ import annotations

import pytest

from pinproof.history import Block, History
from pinproof.judge.invariants import violations
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.scenario.steps import Scenario
from pinproof.scenario.topologies import machine
from pinproof.suite import admit, exits, guaranteed, static

GATE = "KubeletPodResourcesListUseActivePods"


def finished(minor: str, gates: dict[str, bool]) -> tuple[Scenario, History]:
    """A pod that is done and whose memory nobody has collected."""
    shape = machine("two_even")
    steps = (admit(guaranteed("a", memory="4Gi", restart_policy="Never")), exits("a", "c"))
    scenario = Scenario("finished", shape, static(gates=gates)(shape), steps)
    return scenario, predict(scenario, behaviour_of(minor)).histories[0]


@pytest.mark.parametrize(("minor", "gates"), [("1.33", {}), ("1.36", {GATE: False})])
def test_finished_pod_is_listed(minor: str, gates: dict[str, bool]) -> None:
    """Before 1.34, and later where the gate is off, a pod that is over is listed."""
    _, history = finished(minor, gates)
    listed = history.observations[-1].pod_resources or {}

    assert (Block((0,), "memory", 4 << 30),) == listed["a"]["c"].memory


@pytest.mark.parametrize("gates", [{}, {GATE: True}])
def test_finished_pod_is_not_listed(gates: dict[str, bool]) -> None:
    """From 1.34 the gate is on."""
    _, history = finished("1.36", gates)

    assert {} == history.observations[-1].pod_resources


def test_gate_lifts_the_promise() -> None:
    """What the gate asks for breaks nothing; the same list without the gate does."""
    assert [] == list(violations(*finished("1.36", {GATE: False})))
    assert ["I-7"] == [found.invariant for _, found in violations(*finished("1.33", {}))]

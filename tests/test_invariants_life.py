"""I-9: no pod ends a running kubelet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import pinproof
from pinproof.history import History, Observation
from pinproof.judge import violations
from pinproof.reference.behaviour import MINORS, behaviour_of
from pinproof.reference.model import predict
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, Step

FINDINGS = Path(pinproof.__file__).parent.parent / "docs" / "findings"
CRASHES = ("page-size-the-machine-has-not", "numa-node-ids-above-63", "closest-nodes-with-gaps")
SCENARIO = read_scenario(FINDINGS / "page-size-the-machine-has-not.yaml")
(ARRIVAL,) = SCENARIO.steps
assert isinstance(ARRIVAL, Admit)

UP, DOWN = Observation(running=True), Observation(running=False, refusal="panic: something")
KILLED = replace(DOWN, refusal=None)


def found(step: Step, *seen: Observation) -> list[tuple[int, str]]:
    """(step, what was seen) of every end that is a pod's doing."""
    scenario = Scenario("s", SCENARIO.machine, SCENARIO.kubelet, (step, *[Restart()] * (len(seen) - 2)))
    told = violations(scenario, History("k", seen))
    return [(at, violation.seen) for at, violation in told if violation.invariant == "I-9"]


@pytest.mark.parametrize("step", [ARRIVAL, Remove("a"), Exit("a", "c")], ids=lambda step: type(step).__name__)
def test_an_end_at_a_pods_step_is_told(step: Step) -> None:
    """With the kubelet's last words; once, not again for as long as it is down."""
    assert [(1, "it ended: panic: something")] == found(step, UP, DOWN, DOWN)


def test_an_end_at_a_start_is_another_matter() -> None:
    """There a kubelet may refuse; whether it may is I-6's business."""
    assert [] == found(Restart(), UP, DOWN)


def test_a_kubelet_that_did_not_run_or_was_killed_is_not_ended_by_a_pod() -> None:
    """Nothing ran before, or nothing was said."""
    assert [] == found(ARRIVAL, DOWN, DOWN)
    assert [] == found(ARRIVAL, UP, KILLED)


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("name", CRASHES)
def test_known_crashes_break_it_on_every_release(name: str, minor: str) -> None:
    """The model has them, and the required oracle finds them all the same."""
    scenario = read_scenario(FINDINGS / f"{name}.yaml")
    histories = predict(scenario, behaviour_of(minor)).histories

    assert {(1, "I-9")} == {(at, v.invariant) for seen in histories for at, v in violations(scenario, seen)}

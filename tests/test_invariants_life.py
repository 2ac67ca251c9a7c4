"""I-9: no pod ends a running kubelet. I-10: one that is killed starts again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import pinproof
from pinproof.history import History, Observation, PodVerdict
from pinproof.judge import violations
from pinproof.reference.behaviour import MINORS, behaviour_of
from pinproof.reference.model import predict
from pinproof.scenario.faults import AtWrite, Disk
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Admit, Crash, Exit, Remove, Restart, Scenario, StateText, Step

FINDINGS = Path(pinproof.__file__).parent.parent / "docs" / "findings"
CRASHES = ("page-size-the-machine-has-not", "numa-node-ids-above-63", "closest-nodes-with-gaps")
SCENARIO = read_scenario(FINDINGS / "page-size-the-machine-has-not.yaml")
FIRST = SCENARIO.steps[0]
assert isinstance(FIRST, Admit)
ARRIVAL: Admit = FIRST
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


AT = AtWrite("memory_manager_state")
POD = Admit(Pod("b", (Container("c"),)))
REFUSES = replace(DOWN, refusal="the expected machine state is different")


def broken(steps: tuple[Step, ...], *seen: Observation) -> list[tuple[int, str, str]]:
    """(step, invariant, what was seen) of I-6 and I-10."""
    told = violations(Scenario("s", SCENARIO.machine, SCENARIO.kubelet, steps), History("k", seen))
    return [(at, v.invariant, v.seen) for at, v in told if v.invariant in ("I-6", "I-10")]


def with_b(*, admitted: bool = True) -> Observation:
    """A kubelet that runs and has pod b."""
    return replace(UP, pods={"b": PodVerdict(admitted, "" if admitted else "UnexpectedAdmissionError", "")})


@pytest.mark.parametrize("during", [ARRIVAL, Exit("b", "c"), Restart(), Restart(state="lose")], ids=repr)
def test_a_killed_kubelet_that_does_not_start_again(during: Admit | Exit | Restart) -> None:
    """In whichever step it was killed; what is said is with what words."""
    steps = (POD, Crash(during, AT), Restart())
    told = [(3, "I-10", "it refuses: the expected machine state is different")]

    assert told == broken(steps, UP, with_b(), KILLED, REFUSES)


def test_a_killed_kubelet_that_rejects_what_ran_before() -> None:
    """The pod of the interrupted step is another matter: it was never seen to run."""
    steps = (POD, Crash(ARRIVAL, AT), Restart())

    assert [(3, "I-10", "rejected, UnexpectedAdmissionError")] == [
        (at, name, seen.rstrip(": ")) for at, name, seen in broken(steps, UP, with_b(), KILLED, with_b(admitted=False))
    ]
    assert [] == broken(steps, UP, with_b(), KILLED, with_b())


@pytest.mark.parametrize(
    "steps",
    [
        (POD, Crash(ARRIVAL, AT), Restart(state=StateText("{}"))),
        (POD, Crash(ARRIVAL, AT), Restart(kubernetes="1.37.1")),
        (POD, Crash(Restart(kubernetes="1.37.1"), AT), Restart()),
        (POD, Disk("full"), Crash(ARRIVAL, AT), Restart()),
    ],
    ids=["other file", "other release", "killed with another release", "disk"],
)
def test_refusals_that_have_another_reason(steps: tuple[Step, ...]) -> None:
    """Whoever changes what a kubelet starts on, or has a disk that fails, is promised nothing here."""
    seen = (with_b(), KILLED, REFUSES)
    assert [] == broken(steps, UP, *([with_b()] * (len(steps) - 3)), *seen)


def test_a_restart_on_a_disk_that_failed_is_no_restart_without_changes() -> None:
    """The file is behind until the next start on one that works; the restart after that is judged again."""
    steps = (POD, Disk("full"), Disk("works"), Restart(), Restart())
    gone = with_b(admitted=False)

    assert [] == broken(steps[:4], UP, with_b(), with_b(), with_b(), gone)
    assert [(5, "I-6")] == [
        (at, name) for at, name, _ in broken(steps, UP, with_b(), with_b(), with_b(), with_b(), gone)
    ]

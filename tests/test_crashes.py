"""A scenario with its kubelet killed at every point: which points are tried, and how outcomes are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from pinproof.history import History, Observation, PodVerdict
from pinproof.permutations import crashes
from pinproof.permutations.crashes import CALLS, UNHARMED, WRITES, Crashed, Kill, Killed, aftermath, kills, words
from pinproof.running.crashing import crashed
from pinproof.running.examine import Proof
from pinproof.running.pods import guaranteed
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.faults import AtCall, AtWrite, Disk
from pinproof.scenario.steps import Admit, AdmitTogether, Crash, Exit, Remove, Restart, Scenario, Step
from pinproof.scenario.topologies import machine

POD = guaranteed("a", memory="1Gi")
RUNS, DEAD = Observation(running=True, pods={"a": PodVerdict(True)}), Observation(running=False)
REFUSES = Observation(running=False, refusal="start memory manager error: no")


def scenario(*steps: Step) -> Scenario:
    """These steps on a machine that nobody looks at."""
    return Scenario("s", machine("one"), KubeletConfig(), steps)


def of_writes(**counts: int) -> Callable[[Kill], Kill | None]:
    """A node that writes so often in every step, by file."""
    return lambda kill: kill if kill.at.number <= counts.get(kill.place.split("_")[0], 0) else None


def test_points_are_tried_until_there_is_none() -> None:
    """All moments of every write, in the order of time; then the step, a restart, and the rest."""
    asked = scenario(Admit(POD), Remove("a"))
    found = list(kills(asked, [RUNS] * 3, WRITES, of_writes(memory=2)))

    assert [(1, 1, "before"), (1, 1, "unnamed"), (1, 1, "after"), (1, 2, "before"), (1, 2, "unnamed"), (1, 2, "after")] == [
        (kill.step, kill.at.number, kill.at.moment) for kill in found[:6]
    ]  # fmt: skip
    assert [1] * 6 + [2] * 6 == [kill.step for kill in found]
    at = AtWrite("memory_manager_state", 1, "before")
    assert (Crash(Admit(POD), at), Restart(), Remove("a")) == found[0].scenario.steps
    assert (Admit(POD), Crash(Remove("a"), at), Restart()) == found[6].scenario.steps


def test_calls_have_two_moments() -> None:
    """A call has nothing without a name."""
    found = list(kills(scenario(Admit(POD)), [RUNS] * 2, CALLS[:1], lambda kill: kill if kill.at.number < 2 else None))

    assert [AtCall("RunPodSandbox", 1, "before"), AtCall("RunPodSandbox", 1, "after")] == [kill.at for kill in found]


@pytest.mark.parametrize(
    ("step", "before", "tried"),
    [
        (Remove("a"), RUNS, True),
        (Remove("a"), REFUSES, False),
        (Restart(), REFUSES, True),
        (AdmitTogether((POD,)), RUNS, False),
        (Disk("full"), RUNS, False),
        (Crash(Remove("a"), AtWrite("cpu_manager_state")), RUNS, False),
    ],
)
def test_steps_that_can_be_interrupted(step: Step, before: Observation, *, tried: bool) -> None:
    """A kubelet that does not run cannot be killed, but for the one that a restart starts."""
    assert tried == bool(list(kills(scenario(step), [before, RUNS], WRITES, of_writes(cpu=1))))


def test_a_node_that_never_stops_writing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a subject that is always dead would be asked for ever."""
    monkeypatch.setattr(crashes, "MOST", 3)
    with pytest.raises(RuntimeError, match="more than 3 points at memory_manager_state"):
        list(kills(scenario(Admit(POD)), [RUNS] * 2, WRITES, lambda kill: kill))


def test_points_with_one_outcome_share_a_row() -> None:
    """As long as they follow one another; what has no point has a row of its own."""

    def killed(number: int, moment: str, outcome: str) -> Killed:
        at = AtWrite("memory_manager_state", number, moment)  # type: ignore[arg-type]
        return Killed(Kill(1, at, scenario()), outcome)

    found = Crashed({1: "admit a"}, WRITES, [
        killed(1, "before", UNHARMED), killed(1, "unnamed", UNHARMED), killed(1, "after", "refuses: no"),
        killed(2, "before", "refuses: no"), killed(2, "after", UNHARMED),
    ])  # fmt: skip

    assert (
        ("1 admit a", "memory_manager_state", "1 before to 1 unnamed", UNHARMED),
        ("1 admit a", "memory_manager_state", "1 after to 2 before", "refuses: no"),
        ("1 admit a", "memory_manager_state", "2 after", UNHARMED),
        ("1 admit a", "cpu_manager_state", "none", "-"),
    ) == found.table("t").rows
    assert ["memory_manager_state 1 after", "memory_manager_state 2 before"] == found.outcomes()["refuses: no"]
    assert {} == found.outcomes(2)


def test_outcomes_name_pods_that_are_otherwise() -> None:
    """Those that were rejected are gone after any restart."""
    rejected = Observation(running=True, pods={"a": PodVerdict(True), "b": PodVerdict(False, "R", "m")})

    assert UNHARMED == aftermath(rejected, RUNS)
    assert "a: gone" == aftermath(RUNS, Observation(running=True, pods={}))
    assert "b: nothing" == aftermath(rejected, Observation(running=True, pods={**RUNS.pods, "b": PodVerdict(True)}))  # type: ignore[dict-item]
    assert "refuses: no" == aftermath(RUNS, REFUSES)


def test_a_kubelet_that_refuses_was_not_killed() -> None:
    """It has said why; the one that was killed says nothing."""

    def examined(one: Scenario) -> Proof:
        crash = next((step for step in one.steps if isinstance(step, Crash)), None)
        seen = (RUNS, RUNS, RUNS)
        if crash and isinstance(crash.at, AtWrite) and crash.at.file == "memory_manager_state":
            seen = (RUNS, DEAD if crash.at.number == 1 else REFUSES, RUNS)
        return cast("Proof", type("Fake", (), {"observed": History("s", seen)}))

    found = crashed(scenario(Restart(state="lose")), examined)

    assert {
        UNHARMED: [f"memory_manager_state 1 {moment}" for moment in ("before", "unnamed", "after")]
    } == found.outcomes()
    assert {1: "restart"} == found.steps


def test_words_of_steps() -> None:
    """As a table has them."""
    assert ["admit a", "remove a", "exit a/c 3", "restart"] == [
        words(step) for step in (Admit(POD), Remove("a"), Exit("a", "c", 3), Restart())
    ]

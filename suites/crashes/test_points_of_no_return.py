"""The points after which no kubelet starts, of which the ledger has a list: all of them and no other.

Most take dozens of kubelets a case: `pinproof run suites/crashes --nightly`. The tables of the report say which points were
reached. Every kubelet has to start again. Between two writes that belong together none does, and which these are is the message
that the ledger expects of the case.
"""

from __future__ import annotations

from pinproof.permutations.crashes import CALLS, UNHARMED, Crashed
from pinproof.suite import Prove, admit, case, container, crash_everywhere, exits, guaranteed, remove, restart, static

ALONE, ALIGNED = static(topology="best-effort"), static(topology="restricted", scope="pod", cpu="static")

WITH_INIT = admit(guaranteed("a", memory="2Gi", cpu="2", init=[container("i", memory="3Gi", cpu="2")]))
B = admit(guaranteed("b", memory="4Gi", cpu="2"))
C = admit(guaranteed("c", memory="1Gi", cpu="1"))
TWO = admit(guaranteed("d", containers=[container(name, memory="1Gi", cpu="1") for name in ("x", "y")]))


def refused(found: Crashed) -> str:
    """The points after which no kubelet starts, by step."""
    rows = found.table("").rows
    return "; ".join(f"{step}: {place} {points}" for step, place, points, told in rows if told.startswith("refuses: "))


def harmed(found: Crashed) -> set[str]:
    """What became of pods otherwise than without a crash, where a kubelet starts."""
    return {outcome for outcome in found.outcomes() if outcome != UNHARMED and not outcome.startswith("refuses: ")}


@case("MM-KILL-001", machines="two_even", kubelet=ALONE)
def test_every_write_of_an_admission(prove: Prove) -> None:
    """Two writes, at three moments each."""
    found = crash_everywhere(prove, B)

    assert 6 == found.points
    assert set() == harmed(found)
    assert not refused(found), f"no kubelet starts after [{refused(found)}]"


@case("MM-KILL-003", machines="two_even", kubelet=ALONE)
def test_every_call_of_an_admission(prove: Prove) -> None:
    """Sandbox, container and start, before and behind each. By then all is on disk."""
    found = crash_everywhere(prove, B, places=CALLS)

    assert {UNHARMED: 6} == {outcome: len(points) for outcome, points in found.outcomes().items()}


@case("MM-KILL-001", "MM-KILL-004", "MM-KILL-005", machines="two_even", kubelet=ALONE, nightly=True)
def test_every_write(prove: Prove) -> None:
    """Books and blocks are written one after the other, when memory is taken and when it is given back."""
    found = crash_everywhere(prove, B, C, remove("b"), TWO, restart(state="lose"), restart())

    assert 54 == found.points
    assert set() == harmed(found)
    assert not refused(found), f"no kubelet starts after [{refused(found)}]"


@case("MM-KILL-001", "MM-KILL-004", machines="two_even", kubelet=ALIGNED, nightly=True)
def test_every_write_of_both_managers(prove: Prove) -> None:
    """The CPU manager's default set and CPUs come in two writes as well.

    A pod that comes back gets its memory before anything is given back, so what a pod that is gone had is not for it.
    """
    found = crash_everywhere(prove, B, remove("b"), C)

    assert 36 == found.points
    assert {"c: memory 1073741824 (1Gi) on {0}, CPUs 3 of c"} == harmed(found)
    assert not refused(found), f"no kubelet starts after [{refused(found)}]"


@case("MM-KILL-001", "MM-KILL-004", machines="two_even", kubelet=ALONE, nightly=True)
def test_every_write_of_a_pod_with_an_init_container(prove: Prove) -> None:
    """The app container takes over memory of the init container, whose blocks shrink last; later they are given back."""
    found = crash_everywhere(prove, WITH_INIT, exits("a", "i"))

    assert 21 == found.points
    assert not refused(found), f"no kubelet starts after [{refused(found)}]"


@case("MM-KILL-003", machines="two_even", kubelet=ALIGNED, nightly=True)
def test_every_call(prove: Prove) -> None:
    """By then all is on disk: whatever is missing is made, and whatever runs goes on."""
    found = crash_everywhere(prove, B, TWO, exits("d", "x", 1), restart(), places=CALLS)

    assert {UNHARMED: 20} == {outcome: len(points) for outcome, points in found.outcomes().items()}

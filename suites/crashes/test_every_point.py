"""All points of a scenario, one after the other: which there are, and what the next kubelet makes of each.

The tables of the report say which points were reached. What is required is that the kubelet starts again from each. It may come
to another outcome than without the crash: memory that a pod had which is gone is held until the next admission.
"""

from __future__ import annotations

from pinproof.permutations.crashes import Crashed
from pinproof.suite import Prove, admit, case, container, crash_everywhere, exits, guaranteed, remove, restart, static

STATIC, ALIGNED = static(topology="best-effort"), static(topology="restricted", cpu="static")
POD = guaranteed("a", memory="4Gi", cpu="2")
WITH_INIT = guaranteed("a", memory="2Gi", cpu="2", init=[container("i", memory="3Gi", cpu="2")])
COURSE = (
    admit(WITH_INIT),
    exits("a", "i"),
    remove("a"),
    admit(guaranteed("b", memory="9Gi", cpu="2")),
    restart(state="lose"),
)


def refusals(found: Crashed) -> list[str]:
    """With which words kubelets did not start again."""
    return [outcome for outcome in found.outcomes() if outcome.startswith("refuses")]


@case("MM-KILL-001", machines="two_even", kubelet=STATIC)
def test_every_write_of_an_admission(prove: Prove) -> None:
    """Two writes, at three moments each: six points."""
    found = crash_everywhere(prove, admit(POD))

    assert 6 == found.points
    assert [] == refusals(found)


@case("MM-KILL-003", machines="two_even", kubelet=STATIC)
def test_every_call_of_an_admission(prove: Prove) -> None:
    """Sandbox, container, start, before and behind each: six points, all of them behind the last write."""
    found = crash_everywhere(prove, admit(POD), places=("RunPodSandbox", "CreateContainer", "StartContainer"))

    assert 6 == found.points
    assert ["as without the crash"] == list(found.outcomes())


@case("MM-KILL-001", "MM-KILL-004", "MM-KILL-005", machines="two_even", kubelet=ALIGNED, nightly=True)
def test_every_write_of_a_course(prove: Prove) -> None:
    """An init container and its pod, the end of both, another pod in their place, and a start without a file."""
    found = crash_everywhere(prove, *COURSE)

    assert [27, 6, 0, 30, 12] == [sum(len(points) for points in found.outcomes(step).values()) for step in range(1, 6)]
    assert [] == refusals(found)

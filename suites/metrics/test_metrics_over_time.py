"""Counters over long courses: exact values after every step, with all labels, through refusals, retries, ends and restarts.

A course is a list of steps, each with what all counters stand at after it:

    requests errors   memory_manager_pinning_*_total                           1.30
    pods refused      topology_manager_admission_{requests,errors}_total       all
    aligned missed    container_aligned_compute_resources_{,failure_}count     1.32, 1.33
    affinity other    admission_rejections_total, TopologyAffinityError and
                      UnexpectedAdmissionError                                 1.32

Every restart begins at 0 with the pods that are admitted again. Whatever series of these families a kubelet shows beyond the
ones in a row must stand at 0.
"""

from __future__ import annotations

from typing import Final

from pinproof.running.releases import minor_number
from pinproof.running.steps import PlannedRestart
from pinproof.scenario.steps import Step
from pinproof.suite import (
    Prove,
    Seen,
    admit,
    besteffort,
    burstable,
    case,
    container,
    exits,
    guaranteed,
    remove,
    restart,
    sidecar,
    static,
)

Course = list[tuple[Step | PlannedRestart, str]]

SINCE: Final = {
    "memory_manager_pinning_requests_total": "1.30",
    "memory_manager_pinning_errors_total": "1.30",
    "topology_manager_admission_requests_total": "1.27",
    "topology_manager_admission_errors_total": "1.27",
    "container_aligned_compute_resources_count": "1.32",
    "container_aligned_compute_resources_failure_count": "1.33",
    "admission_rejections_total": "1.32",
}
"""Family → first minor that has it."""

SMALL, WIDE, HUGE = "4Gi", "12Gi", "21Gi"
"""Fits a node, fits two, fits no machine of two nodes of 10Gi."""

THREE = guaranteed("three", containers=[container(name, memory="1Gi") for name in ("x", "y", "z")])
STAGED = guaranteed("staged", memory="2Gi", init=[container("i", memory="3Gi"), sidecar("s", memory="1Gi")])
LATE = guaranteed("late", containers=[container("x", memory="1Gi"), container("y", memory=HUGE)])
JOB = guaranteed("job", memory="1Gi", restart_policy="Never")


SINGLE: Course = [
    # What `Course` says: requests errors  pods refused  aligned missed  affinity other
    (admit(guaranteed("b", memory=WIDE)), "0 0   1 1   0 1   1 0"),
    (admit(guaranteed("a", memory=SMALL)), "1 0   2 1   1 1   1 0"),
    (admit(guaranteed("c", memory=HUGE)), "2 1   3 2   1 1   1 1"),
    (admit(besteffort("d")), "2 1   4 2   2 1   1 1"),
    (admit(burstable("e")), "2 1   5 2   3 1   1 1"),
    (exits("a", "c", code=1), "2 1   5 2   3 1   1 1"),
    (admit(THREE), "5 1   6 2   6 1   1 1"),
    (remove("b"), "5 1   6 2   6 1   1 1"),
    (admit(guaranteed("b", memory=WIDE)), "6 2   7 3   6 1   1 2"),  # beside others no set of nodes is left (#128708)
    (admit(STAGED), "9 2   8 3   9 1   1 2"),
    (exits("staged", "i"), "9 2   8 3   9 1   1 2"),
    (admit(LATE), "11 3   9 4   10 1   1 3"),
    (admit(JOB), "12 3   10 4   11 1   1 3"),
    (exits("job", "c"), "12 3   10 4   11 1   1 3"),
    (restart(), "7 0   5 0   9 0   0 0"),  # a, d, e, three and staged
    (remove("c"), "7 0   5 0   9 0   0 0"),
    (admit(guaranteed("c", memory=HUGE)), "8 1   6 1   9 0   0 1"),
    (remove("c"), "8 1   6 1   9 0   0 1"),
    (admit(guaranteed("c", memory=SMALL)), "9 1   7 1   10 0   0 1"),
    (restart(signal="KILL"), "8 0   6 0   10 0   0 0"),
    (remove("three"), "8 0   6 0   10 0   0 0"),
    (restart(state="lose"), "5 0   5 0   7 0   0 0"),
    (admit(guaranteed("f", memory="5Gi")), "6 0   6 0   8 0   0 0"),
    (admit(guaranteed("g", memory="9Gi")), "7 1   7 1   8 0   0 1"),
]

RESTRICTED_POD: Course = [
    (admit(guaranteed("a", memory=WIDE)), "1 0   1 0   0 0   0 0"),  # two nodes are what it needs
    (admit(guaranteed("b", memory="1Gi")), "1 0   2 1   0 0   1 0"),  # one is, and none is out of a group
    (admit(guaranteed("c", memory=HUGE)), "2 1   3 2   0 0   1 1"),
    (remove("a"), "2 1   3 2   0 0   1 1"),
    (remove("b"), "2 1   3 2   0 0   1 1"),
    (admit(guaranteed("b", memory="1Gi")), "3 1   4 2   0 0   1 1"),
    (admit(THREE), "6 1   5 2   0 0   1 1"),
    (admit(STAGED), "9 1   6 2   0 0   1 1"),
    (exits("staged", "i"), "9 1   6 2   0 0   1 1"),
    (exits("three", "x", code=1), "9 1   6 2   0 0   1 1"),
    (admit(besteffort("d")), "9 1   7 2   0 0   1 1"),
    (remove("staged"), "9 1   7 2   0 0   1 1"),
    (restart(), "4 0   3 0   0 0   0 0"),  # b, three and d
    (restart(), "4 0   3 0   0 0   0 0"),
    (admit(guaranteed("c", memory=HUGE)), "5 1   4 1   0 0   0 1"),
    (remove("c"), "5 1   4 1   0 0   0 1"),
    (admit(guaranteed("c", memory=HUGE)), "6 2   5 2   0 0   0 2"),
    (remove("c"), "6 2   5 2   0 0   0 2"),
    (admit(guaranteed("c", memory="1Gi")), "7 2   6 2   0 0   0 2"),
    (restart(signal="KILL"), "5 0   4 0   0 0   0 0"),
    (remove("three"), "5 0   4 0   0 0   0 0"),
    (admit(burstable("e", memory="11Gi")), "5 0   5 0   0 0   0 0"),
    (restart(order=("e", "c", "d", "b")), "2 0   4 0   0 0   0 0"),
]

NONE: Course = [
    (admit(guaranteed("a", memory=WIDE)), "1 0   1 0   0 0   0 0"),
    (admit(guaranteed("b", memory="8Gi")), "2 0   2 0   0 0   0 0"),  # joins the group, which has as much left
    (admit(guaranteed("c", memory=HUGE)), "3 1   3 0   0 0   0 1"),  # policy none refuses nothing of its own
    (admit(guaranteed("f", memory="1Gi")), "4 2   4 0   0 0   0 2"),
    (admit(besteffort("d")), "4 2   5 0   0 0   0 2"),
    (exits("a", "c", code=1), "4 2   5 0   0 0   0 2"),
    (exits("a", "c", code=1), "4 2   5 0   0 0   0 2"),
    (remove("b"), "4 2   5 0   0 0   0 2"),
    (remove("a"), "4 2   5 0   0 0   0 2"),
    (remove("f"), "4 2   5 0   0 0   0 2"),
    (admit(guaranteed("f", memory="1Gi")), "5 2   6 0   0 0   0 2"),
    (admit(THREE), "8 2   7 0   0 0   0 2"),
    (restart(), "4 0   3 0   0 0   0 0"),  # d, f and three
    (admit(guaranteed("c", memory=HUGE)), "5 1   4 0   0 0   0 1"),
    (restart(), "4 0   3 0   0 0   0 0"),
    (remove("f"), "4 0   3 0   0 0   0 0"),
    (remove("three"), "4 0   3 0   0 0   0 0"),
    (admit(STAGED), "7 0   4 0   0 0   0 0"),
    (exits("staged", "i"), "7 0   4 0   0 0   0 0"),
    (restart(state="lose"), "3 0   2 0   0 0   0 0"),  # the init container that is over is asked for again
    (admit(JOB), "4 0   3 0   0 0   0 0"),
    (exits("job", "c", code=1), "4 0   3 0   0 0   0 0"),
    (restart(), "3 0   2 0   0 0   0 0"),  # a job that failed does not come back
]


@case("MM-METRIC-017", machines="two_even", kubelet=static(topology="single-numa-node"))
def test_course_under_single_numa_node(prove: Prove) -> None:
    """Twenty-four steps, three of them restarts; containers of every pod are counted as aligned."""
    check(prove(*(step for step, _ in SINGLE)), SINGLE, prove.minor, scope="container")


@case("MM-METRIC-017", machines="two_even", kubelet=static(topology="restricted", scope="pod"))
def test_course_under_restricted(prove: Prove) -> None:
    """Twenty-four steps, four of them restarts; a refusal, a failure, and a pod that is tried three times."""
    check(prove(*(step for step, _ in RESTRICTED_POD)), RESTRICTED_POD, prove.minor, scope="pod")


@case("MM-METRIC-017", machines="two_even", kubelet=static())
def test_course_under_none(prove: Prove) -> None:
    """Twenty-three steps, four of them restarts; whatever fails is no error of the Topology Manager."""
    check(prove(*(step for step, _ in NONE)), NONE, prove.minor, scope="container")


def check(seen: Seen, course: Course, minor: str, *, scope: str) -> None:
    """Every counter of every family that the minor has, after every step."""
    expected = [named(row, minor, scope) for _, row in course]

    assert expected == [shown(seen, step, minor) for step in range(1, len(course) + 1)]


def named(row: str, minor: str, scope: str) -> dict[str, int]:
    """A row as series, those that stand at 0 left out."""
    aligned = f'{{boundary="numa_node",scope="{scope}"}}'
    series = (
        "memory_manager_pinning_requests_total",
        "memory_manager_pinning_errors_total",
        "topology_manager_admission_requests_total",
        "topology_manager_admission_errors_total",
        f"container_aligned_compute_resources_count{aligned}",
        f"container_aligned_compute_resources_failure_count{aligned}",
        'admission_rejections_total{reason="TopologyAffinityError"}',
        'admission_rejections_total{reason="UnexpectedAdmissionError"}',
    )
    values = dict(zip(series, map(int, row.split()), strict=True))
    return {name: value for name, value in values.items() if value and name.partition("{")[0] in families(minor)}


def shown(seen: Seen, step: int, minor: str) -> dict[str, int]:
    """The series of these families that do not stand at 0."""
    counters = seen.observation(step).counters or {}
    plain = {name.removeprefix("kubelet_"): value for name, value in counters.items() if value}
    return {name: value for name, value in plain.items() if name.partition("{")[0] in families(minor)}


def families(minor: str) -> set[str]:
    """Families that a minor has."""
    return {name for name, since in SINCE.items() if minor_number(since) <= minor_number(minor)}

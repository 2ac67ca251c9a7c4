"""Counters of pod-level resource managers over a long course: exact values after every step, with all labels.

The columns of a row are what these stand at after a step; of families with labels, the labels are all there are:

    requests errors   memory_manager_pinning_*_total
    node pod          resource_manager_allocations_total, by source: memory types for a container, containers for a pod
    node pod          resource_manager_allocation_errors_total, by source
    own own_of_pod shared_of_pod    resource_manager_container_assignments, by assignment type

1.36 shows the last three families without `kubelet_`, and the last one without `_total`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pinproof.running.steps import PlannedRestart
from pinproof.scenario.steps import Step
from pinproof.suite import (
    Prove,
    admit,
    besteffort,
    case,
    container,
    exits,
    guaranteed,
    pod_level,
    remove,
    restart,
    sidecar,
    static,
)

ON = static(topology="restricted", scope="pod", gates={"PodLevelResourceManagers": True})
OWN, SHARED = container("own", memory="2Gi", cpu="1"), container("shared", cpu=None)
INIT = [container("i", memory="1Gi", cpu="1"), sidecar("s", cpu=None)]
PAGES = guaranteed("a", memory="1Gi", hugepages={"2Mi": "64Mi"})
TWO = guaranteed("e", containers=[container(name, memory="1Gi") for name in ("x", "y")])
NO_POOL = pod_level("z", OWN, SHARED, memory="2Gi", cpu="2")
"""The container with memory of its own leaves nothing for the other."""

COURSE: Final[list[tuple[Step | PlannedRestart, str]]] = [
    # requests errors  node pod  node pod  own own_of_pod shared_of_pod
    (admit(PAGES), "1 0   2 0   0 0   1 0 0"),
    (admit(pod_level("p", OWN, SHARED, memory="6Gi", cpu="2")), "3 0   2 2   0 0   1 1 1"),
    (admit(guaranteed("b", memory="100Gi")), "4 1   2 2   1 0   1 1 1"),
    (admit(pod_level("q", OWN, SHARED, memory="100Gi", cpu="2")), "5 2   2 2   1 1   1 1 1"),
    (admit(besteffort("d")), "5 2   2 2   1 1   1 1 1"),
    (admit(pod_level("r", SHARED, init=INIT, memory="2Gi", cpu="2")), "8 2   2 5   1 1   1 2 3"),
    (exits("r", "i"), "8 2   2 5   1 1   1 2 3"),
    (exits("p", "own", code=1), "8 2   2 5   1 1   1 2 3"),
    (remove("q"), "8 2   2 5   1 1   1 2 3"),
    (admit(pod_level("q", OWN, SHARED, memory="100Gi", cpu="2")), "9 3   2 5   1 2   1 2 3"),
    (remove("p"), "9 3   2 5   1 2   1 2 3"),
    (admit(TWO), "11 3   4 5   1 2   3 2 3"),
    (admit(NO_POOL), "11 3   4 5   1 2   3 2 3"),  # refused before anything is allocated
    (remove("r"), "11 3   4 5   1 2   3 2 3"),
    (restart(), "3 0   0 0   0 0   0 0 0"),  # a and e have what they need
    (admit(pod_level("p", OWN, SHARED, memory="6Gi", cpu="2")), "5 0   0 2   0 0   0 1 1"),
    (admit(pod_level("q", SHARED, memory="3Gi", cpu="1")), "6 0   0 3   0 0   0 1 2"),
    (remove("p"), "6 0   0 3   0 0   0 1 2"),
    (remove("q"), "6 0   0 3   0 0   0 1 2"),
    (restart(signal="KILL"), "3 0   0 0   0 0   0 0 0"),
    (admit(guaranteed("f", memory="1Gi")), "4 0   1 0   0 0   1 0 0"),
    (restart(state="lose"), "4 0   5 0   0 0   4 0 0"),  # a, e and f are allocated anew
]


@case("MM-METRIC-018", machines="hugepages_even", kubelet=ON, since="1.36")
def test_course_of_pods_as_a_whole(prove: Prove) -> None:
    """Twenty-two steps, three of them restarts; pods as a whole and others, failed, refused, tried again."""
    seen = prove(*(step for step, _ in COURSE))

    expected = [named(row) for _, row in COURSE]
    assert expected == [shown(seen.observation(step).counters or {}) for step in range(1, len(COURSE) + 1)]


def named(row: str) -> dict[str, int]:
    """A row as series, those that stand at 0 left out."""
    assignments = [
        f'assignment_type="{kind}",resource_name="memory"' for kind in ("node_exclusive", "pod_exclusive", "pod_shared")
    ]
    sources = [f'resource_name="memory",source="{source}"' for source in ("node", "pod")]
    series = [
        "memory_manager_pinning_requests_total",
        "memory_manager_pinning_errors_total",
        *(f"resource_manager_allocations_total{{{source}}}" for source in sources),
        *(f"resource_manager_allocation_errors_total{{{source}}}" for source in sources),
        *(f"resource_manager_container_assignments{{{assignment}}}" for assignment in assignments),
    ]
    return {name: value for name, value in zip(series, map(int, row.split()), strict=True) if value}


def shown(counters: Mapping[str, int]) -> dict[str, int]:
    """The series of these families that do not stand at 0, in the spelling of 1.36 without `kubelet_`."""
    plain = {
        name.removeprefix("kubelet_").replace("assignments_total", "assignments"): counters[name] for name in counters
    }
    ours = ("memory_manager_", "resource_manager_")
    return {name: value for name, value in plain.items() if value and name.startswith(ours)}

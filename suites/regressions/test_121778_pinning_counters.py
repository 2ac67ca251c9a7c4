"""G5: what the pinning counters count.

Symptom: counters that look wrong. Cause: they count containers, not pods; before a pod that is known is passed over, so a
restart counts all again; and nothing that the Topology Manager refuses. Releases: from 1.30.
https://github.com/kubernetes/kubernetes/pull/121778
"""

from __future__ import annotations

from pinproof.suite import Prove, Seen, admit, burstable, case, container, guaranteed, restart, static

NONE, SINGLE = static(), static(topology="single-numa-node")
THREE = guaranteed("a", containers=[container(name, memory="1Gi") for name in ("x", "y", "z")])


def counted(seen: Seen, after: int = -1) -> tuple[int, int, int]:
    """Pinning requests and errors, and admission errors of the Topology Manager."""
    names = ("memory_manager_pinning_requests_total", "memory_manager_pinning_errors_total")
    requests, errors = (seen.counter(name, after=after) for name in names)
    return requests, errors, seen.counter("topology_manager_admission_errors_total", after=after)


@case("MM-METRIC-002", machines="two_even", kubelet=[NONE, SINGLE], since="1.30")
def test_three_containers_are_three_requests(prove: Prove) -> None:
    """A pod of three; a Burstable pod beside it counts nothing."""
    seen = prove(admit(THREE), admit(burstable("b")))

    assert [(3, 0, 0), (3, 0, 0)] == [counted(seen, after=step) for step in (1, 2)]


@case("MM-METRIC-003", machines="two_even", kubelet=SINGLE, since="1.30")
def test_failed_allocation_and_refused_alignment_are_told_apart(prove: Prove) -> None:
    """Both are errors of the Topology Manager's; only the first is one of pinning."""
    seen = prove(admit(guaranteed("a", memory="21Gi")), admit(guaranteed("b", memory="12Gi")))

    reasons = [verdict.reason for name in "ab" if (verdict := seen.verdict(name))]
    assert ["UnexpectedAdmissionError", "TopologyAffinityError"] == reasons
    assert [(1, 1, 1), (1, 1, 2)] == [counted(seen, after=step) for step in (1, 2)]


@case("MM-METRIC-007", machines="two_even", kubelet=NONE, since="1.30")
def test_restart_counts_running_pods_again(prove: Prove) -> None:
    """Two pods of a container each: two requests of the new process."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(guaranteed("b", memory="1Gi")), restart())

    assert (2, 0, 0) == counted(seen)

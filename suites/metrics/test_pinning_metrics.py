"""Counters of the memory manager: exact values over sequences, from the start of the kubelet's process."""

from __future__ import annotations

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
    none_policy,
    remove,
    restart,
    sidecar,
    static,
)

NONE = static()
RESTRICTED = static(topology="restricted")
SINGLE = static(topology="single-numa-node")
NO_POLICY = none_policy()


@case("MM-METRIC-001", machines="two_even", kubelet=[NONE, RESTRICTED, NO_POLICY], since="1.30")
def test_pinning_counters_are_there_and_zero_at_the_start(prove: Prove) -> None:
    """A kubelet that has admitted nothing shows both counters with 0, policy None included."""
    assert (0, 0) == _pinning(prove())


@case("MM-METRIC-002", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE], since="1.30")
def test_admitted_container_counts_as_one_request(prove: Prove) -> None:
    """A pod of one container that is pinned: one request, no error."""
    assert (1, 0) == _pinning(prove(admit(guaranteed("a", memory="64Mi"))))


@case("MM-METRIC-003", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE], since="1.30")
def test_failed_allocation_counts_as_request_and_error(prove: Prove) -> None:
    """A pod that no machine could serve: one request, one error."""
    assert (1, 1) == _pinning(prove(admit(guaranteed("a", memory="1000Gi"))))


@case("MM-METRIC-002", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.30")
def test_every_app_container_is_a_request(prove: Prove) -> None:
    """Three containers are three requests, whatever the pod."""
    pod = guaranteed("a", containers=[container(name, memory="1Gi") for name in ("x", "y", "z")])

    assert (3, 0) == _pinning(prove(admit(pod)))


@case("MM-METRIC-002", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.30")
def test_init_containers_and_sidecars_are_requests_too(prove: Prove) -> None:
    """Two init containers, a sidecar and two apps are five, also where an app reuses all its memory."""
    init = [container("i1", memory="2Gi"), sidecar("s", memory="1Gi"), container("i2", memory="1Gi")]
    apps = [container("x", memory="1Gi"), container("y", memory="1Gi")]

    assert (5, 0) == _pinning(prove(admit(guaranteed("a", init=init, containers=apps))))


@case("MM-METRIC-003", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.30")
def test_containers_behind_a_failed_one_are_not_asked_for(prove: Prove) -> None:
    """The second of three containers fails: two requests, one error."""
    sizes = {"x": "1Gi", "y": "1000Gi", "z": "1Gi"}
    pod = guaranteed("a", containers=[container(name, memory=amount) for name, amount in sizes.items()])

    assert (2, 1) == _pinning(prove(admit(pod)))


@case("MM-METRIC-004", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE], since="1.30")
def test_pods_that_are_not_pinned_count_nothing(prove: Prove) -> None:
    """BestEffort and Burstable pods are no requests, not even a Burstable one that no node could hold."""
    seen = prove(admit(besteffort("a")), admit(burstable("b", memory="11Gi")))

    assert (0, 0) == _pinning(seen)
    assert seen.admitted("b")


@case("MM-METRIC-004", machines="two_even", kubelet=[NO_POLICY, none_policy(topology="restricted")], since="1.30")
def test_policy_none_counts_nothing(prove: Prove) -> None:
    """Under memory manager policy None a Guaranteed pod is no request."""
    assert (0, 0) == _pinning(prove(admit(guaranteed("a", memory="1Gi"))))


@case("MM-METRIC-005", machines="two_even", kubelet=SINGLE, since="1.30")
def test_refusal_to_align_counts_nothing(prove: Prove) -> None:
    """A pod that the Topology Manager refuses never reaches the memory manager's counters."""
    seen = prove(admit(guaranteed("a", memory="12Gi")))

    assert seen.rejected("a")
    assert (0, 0) == _pinning(seen)


@case("MM-METRIC-005", machines="three", kubelet=SINGLE, since="1.30")
def test_containers_before_a_refusal_to_align_are_counted(prove: Prove) -> None:
    """The first container was pinned, the second cannot be aligned: one request, no error."""
    pod = guaranteed("a", containers=[container("x", memory="1Gi"), container("y", memory="12Gi")])
    seen = prove(admit(pod))

    assert seen.rejected("a")
    assert (1, 0) == _pinning(seen)


@case("MM-METRIC-006", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.30")
def test_counters_over_a_sequence(prove: Prove) -> None:
    """Only admissions move the counters; a removal, or a pod that is not pinned, leaves them as they are."""
    seen = prove(
        admit(guaranteed("a", memory="6Gi")),
        admit(guaranteed("b", memory="1000Gi")),
        admit(besteffort("x")),
        admit(guaranteed("d", memory="6Gi")),
        remove("a"),
        admit(guaranteed("e", memory="6Gi")),
    )

    assert [(0, 0), (1, 0), (2, 1), (2, 1), (3, 1), (3, 1), (4, 1)] == [_pinning(seen, after=n) for n in range(7)]


@case("MM-METRIC-006", machines="two_even", kubelet=NONE, since="1.30")
def test_restarted_container_is_no_request(prove: Prove) -> None:
    """A container that is created again was pinned long ago."""
    assert (1, 0) == _pinning(prove(admit(guaranteed("a", memory="1Gi")), exits("a", "c", code=1)))


@case("MM-METRIC-006", machines="two_even", kubelet=NONE, since="1.30")
def test_pod_that_the_node_refuses_afterwards_was_counted(prove: Prove) -> None:
    """Memory is pinned before the node's CPUs are looked at: the pod is rejected, the request stays counted."""
    seen = prove(admit(guaranteed("a", memory="1Gi", cpu="20")))

    assert seen.rejected("a")
    assert (1, 0) == _pinning(seen)


@case("MM-METRIC-007", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.30")
def test_restored_pods_are_counted_again(prove: Prove) -> None:
    """A restart sets the counters to 0 and then admits the running pods: a request for each of their containers."""
    both = [container("x", memory="1Gi"), container("y", memory="1Gi")]
    seen = prove(admit(guaranteed("a", containers=both)), admit(guaranteed("b", memory="1Gi")), restart())

    assert (3, 0) == _pinning(seen, after=2) == _pinning(seen)


@case("MM-METRIC-007", machines="two_even", kubelet=NONE, since="1.30")
def test_rejected_pods_are_not_counted_after_a_restart(prove: Prove) -> None:
    """A rejected pod is over; only the running one is admitted again."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(guaranteed("b", memory="1000Gi")), restart())

    assert [(2, 1), (1, 0)] == [_pinning(seen, after=n) for n in (2, 3)]


@case("MM-METRIC-007", machines="two_even", kubelet=NONE, since="1.30")
def test_init_that_is_over_is_counted_again(prove: Prove) -> None:
    """The pod is admitted as a whole after a restart, with the init container that has run already."""
    a = guaranteed("a", memory="1Gi", init=[container("i", memory="1Gi")])
    seen = prove(admit(a), exits("a", "i"), restart())

    assert [(2, 0), (2, 0), (2, 0)] == [_pinning(seen, after=n) for n in (1, 2, 3)]


def _pinning(seen: Seen, *, after: int = -1) -> tuple[int, int]:
    """Requests and errors of the memory manager."""
    return (
        seen.counter("memory_manager_pinning_requests_total", after=after),
        seen.counter("memory_manager_pinning_errors_total", after=after),
    )

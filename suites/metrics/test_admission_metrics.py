"""Counters around the memory manager: Topology Manager admissions, aligned resources, rejections by reason."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    Seen,
    admit,
    besteffort,
    burstable,
    case,
    container,
    guaranteed,
    none_policy,
    restart,
    sidecar,
    static,
)

NONE = static()
RESTRICTED = static(topology="restricted")
SINGLE = static(topology="single-numa-node")
SINGLE_POD = static(topology="single-numa-node", scope="pod")
NO_POLICY = none_policy()

ALIGNED = "container_aligned_compute_resources_count"
NOT_ALIGNED = "container_aligned_compute_resources_failure_count"


@case("MM-METRIC-008", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE, NO_POLICY])
def test_admission_counters_are_there_and_zero_at_the_start(prove: Prove) -> None:
    """A kubelet that has admitted nothing shows both counters with 0, whatever its policies."""
    assert (0, 0) == _admissions(prove())


@case("MM-METRIC-009", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE, NO_POLICY])
def test_every_pod_is_an_admission_request(prove: Prove) -> None:
    """Pods count, not containers, and of every QoS class, under policy none too."""
    both = [container("x", memory="1Gi"), container("y", memory="1Gi")]
    seen = prove(admit(guaranteed("a", containers=both)), admit(burstable("b")), admit(besteffort("d")))

    assert [(1, 0), (2, 0), (3, 0)] == [_admissions(seen, after=n) for n in (1, 2, 3)]


@case("MM-METRIC-010", machines="two_even", kubelet=[SINGLE, SINGLE_POD])
def test_refusal_to_align_is_an_admission_error(prove: Prove) -> None:
    """A pod that cannot be aligned: one request, one error."""
    assert (1, 1) == _admissions(prove(admit(guaranteed("a", memory="12Gi"))))


@case("MM-METRIC-010", machines="two_even", kubelet=[RESTRICTED, SINGLE, SINGLE_POD])
def test_failed_allocation_is_an_admission_error(prove: Prove) -> None:
    """A pod that was aligned and then could not be served: one request, one error."""
    assert (1, 1) == _admissions(prove(admit(guaranteed("a", memory="1000Gi"))))


@case("MM-METRIC-011", machines="two_even", kubelet=NONE)
def test_policy_none_counts_no_admission_errors(prove: Prove) -> None:
    """Topology Manager policy none: the pod is rejected, and only its request is counted."""
    seen = prove(admit(guaranteed("a", memory="1000Gi")))

    assert seen.rejected("a")
    assert (1, 0) == _admissions(seen)


@case("MM-METRIC-010", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_refusal_by_the_node_is_no_admission_error(prove: Prove) -> None:
    """A pod for which the node has too few CPUs has passed the Topology Manager before."""
    seen = prove(admit(guaranteed("a", memory="1Gi", cpu="20")))

    assert seen.rejected("a")
    assert (1, 0) == _admissions(seen)


@case("MM-METRIC-012", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_restored_pods_are_admission_requests_again(prove: Prove) -> None:
    """After a restart every pod that is not over is admitted again, pinned or not."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(besteffort("b")), restart())

    assert [(2, 0), (2, 0)] == [_admissions(seen, after=n) for n in (2, 3)]


@case("MM-METRIC-013", machines="two_even", kubelet=[SINGLE, RESTRICTED], since="1.32")
def test_series_of_aligned_resources_are_there_from_the_start(prove: Prove) -> None:
    """A fresh process shows both scopes of the boundary `numa_node` with 0 before anything was admitted."""
    seen = prove(restart())

    assert [0, 0] == [seen.series(ALIGNED, boundary="numa_node", scope=scope) for scope in ("container", "pod")]


@case("MM-METRIC-014", machines="two_even", kubelet=SINGLE, since="1.32")
def test_scope_container_counts_aligned_containers(prove: Prove) -> None:
    """Init container, sidecar and app are three aligned containers."""
    init = [container("i", memory="1Gi"), sidecar("s", memory="1Gi")]
    seen = prove(admit(guaranteed("a", memory="1Gi", init=init)))

    assert (3, 0) == _aligned(seen, ALIGNED)


@case("MM-METRIC-014", machines="two_even", kubelet=SINGLE_POD, since="1.32")
def test_scope_pod_counts_aligned_pods(prove: Prove) -> None:
    """A pod of three containers is one aligned pod."""
    seen = prove(admit(guaranteed("a", containers=[container(name, memory="1Gi") for name in ("x", "y", "z")])))

    assert (0, 1) == _aligned(seen, ALIGNED)


@case("MM-METRIC-014", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.32")
def test_other_policies_count_no_aligned_resources(prove: Prove) -> None:
    """Only `single-numa-node` promises one node, so only it counts, even if one node was used."""
    seen = prove(admit(guaranteed("a", memory="1Gi")))

    assert seen.mems("a") == "0"
    assert (0, 0) == _aligned(seen, ALIGNED)


@case("MM-METRIC-015", machines="three", kubelet=SINGLE, since="1.33")
def test_scope_container_counts_the_container_that_was_not_aligned(prove: Prove) -> None:
    """The first container was aligned; the second would need the two nodes that are left."""
    seen = prove(admit(guaranteed("a", containers=[container("x", memory="1Gi"), container("y", memory="12Gi")])))

    assert (1, 0) == _aligned(seen, ALIGNED)
    assert (1, 0) == _aligned(seen, NOT_ALIGNED)


@case("MM-METRIC-015", machines="two_even", kubelet=SINGLE_POD, since="1.33")
def test_scope_pod_counts_the_pod_that_was_not_aligned(prove: Prove) -> None:
    """Two containers fit a node each but not one together: one pod that was not aligned, none that was."""
    seen = prove(admit(guaranteed("a", containers=[container("x", memory="6Gi"), container("y", memory="6Gi")])))

    assert (0, 0) == _aligned(seen, ALIGNED)
    assert (0, 1) == _aligned(seen, NOT_ALIGNED)


@case("MM-METRIC-015", machines="two_even", kubelet=[SINGLE, SINGLE_POD], since="1.33")
def test_failed_allocation_is_neither_aligned_nor_not(prove: Prove) -> None:
    """A pod that was aligned but could not be served counts on neither side."""
    seen = prove(admit(guaranteed("a", memory="1000Gi")))

    assert (0, 0) == _aligned(seen, ALIGNED) == _aligned(seen, NOT_ALIGNED)


@case("MM-METRIC-015", machines="two_even", kubelet=RESTRICTED, since="1.33")
def test_refusal_by_restricted_counts_no_failure_of_alignment(prove: Prove) -> None:
    """`restricted` refuses a small pod beside a group; it promised no single node, so that counter stays."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="1Gi")))

    assert seen.rejected("b")
    assert (0, 0) == _aligned(seen, NOT_ALIGNED)


@case("MM-METRIC-016", machines="two_even", kubelet=SINGLE, since="1.32")
def test_rejections_are_counted_by_reason(prove: Prove) -> None:
    """One pod that cannot be aligned and two that cannot be served; an admitted one counts nowhere."""
    seen = prove(
        admit(guaranteed("a", memory="12Gi")),
        admit(guaranteed("b", memory="1000Gi")),
        admit(guaranteed("d", memory="1Gi")),
        admit(guaranteed("e", memory="1000Gi")),
    )

    assert (1, 2) == _rejections(seen)


@case("MM-METRIC-016", machines="two_even", kubelet=NONE, since="1.32")
def test_refusal_by_the_node_is_a_rejection_as_well(prove: Prove) -> None:
    """The reason is the pod's own: a critical pod that cannot make room is rejected unexpectedly."""
    seen = prove(admit(guaranteed("a", memory="1Gi", cpu="20")))

    assert (0, 1) == _rejections(seen)


@case("MM-METRIC-016", machines="two_even", kubelet=SINGLE, since="1.32")
def test_rejections_start_from_zero_after_a_restart(prove: Prove) -> None:
    """Rejected pods are over: they are neither admitted nor counted again."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="1000Gi")), restart())

    assert [(1, 1), (0, 0)] == [_rejections(seen, after=n) for n in (2, 3)]


def _admissions(seen: Seen, *, after: int = -1) -> tuple[int, int]:
    """Requests and errors of the Topology Manager."""
    return (
        seen.counter("topology_manager_admission_requests_total", after=after),
        seen.counter("topology_manager_admission_errors_total", after=after),
    )


def _aligned(seen: Seen, metric: str) -> tuple[int, int]:
    """A counter of the boundary `numa_node`, for scope container and scope pod."""
    return (
        seen.counter(metric, boundary="numa_node", scope="container"),
        seen.counter(metric, boundary="numa_node", scope="pod"),
    )


def _rejections(seen: Seen, *, after: int = -1) -> tuple[int, int]:
    """Rejections by TopologyAffinityError and by UnexpectedAdmissionError."""
    reasons = ("TopologyAffinityError", "UnexpectedAdmissionError")
    aligned, allocated = (seen.counter("admission_rejections_total", after=after, reason=name) for name in reasons)
    return aligned, allocated

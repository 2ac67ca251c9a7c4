"""Pods with pod-level resources under pod-level resource managers (1.36, gate `PodLevelResourceManagers`)."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    admit,
    block,
    case,
    container,
    exits,
    gib,
    guaranteed,
    pod_level,
    remove,
    restart,
    sidecar,
    static,
)

GATE = {"PodLevelResourceManagers": True}
RESTRICTED_POD = static(topology="restricted", scope="pod", gates=GATE)
BEST_EFFORT_POD = static(topology="best-effort", scope="pod", gates=GATE)
SINGLE_POD_CPU = static(topology="single-numa-node", scope="pod", cpu="static", gates=GATE)
RESTRICTED = static(topology="restricted", gates=GATE)
NONE = static(gates=GATE)

OWN = container("own", memory="2Gi", cpu="1")
SHARED = container("shared", cpu=None)


@case("MM-PODLEVEL-004", machines="two_even", kubelet=[RESTRICTED_POD, BEST_EFFORT_POD], since="1.36")
def test_pod_has_one_allocation(prove: Prove) -> None:
    """6Gi of node 0 are the pod's: 2Gi for the container that asks for them, the rest for the other one."""
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="6Gi", cpu="2")))

    assert [block(0, memory="6Gi")] == seen.pod_blocks("a")
    assert [block(0, memory="2Gi")] == seen.blocks("a", "own")
    assert [block(0, memory="4Gi")] == seen.blocks("a", "shared")
    assert (1, gib(6)) == (seen.assignments_on(0), seen.reserved(0))
    assert ("0", "0") == (seen.mems("a", "own"), seen.mems("a", "shared"))


@case("MM-PODLEVEL-004", machines="two_even", kubelet=SINGLE_POD_CPU, since="1.36")
def test_cpus_and_memory_of_a_pod_are_of_one_node(prove: Prove) -> None:
    """The pod's CPUs are split like its memory, and all are of the node of its memory."""
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="6Gi", cpu="3")))

    own, shared = (seen.exclusive_cpus("a", name) for name in ("own", "shared"))
    assert [block(0, memory="6Gi")] == seen.pod_blocks("a")
    assert ("1", "2-3") == (own, shared)


@case("MM-PODLEVEL-004", machines="two_even", kubelet=RESTRICTED_POD, since="1.36")
def test_init_container_may_use_what_sidecars_leave(prove: Prove) -> None:
    """6Gi less the 1Gi of the sidecar before it; the app container has what is left of the same."""
    init = [sidecar("side", memory="1Gi", cpu="1"), container("first", cpu=None)]
    seen = prove(admit(pod_level("a", SHARED, init=init, memory="6Gi", cpu="2")))

    assert [block(0, memory="5Gi")] == seen.blocks("a", "first") == seen.blocks("a", "shared")


@case("MM-PODLEVEL-005", machines="two_even", kubelet=BEST_EFFORT_POD, since="1.36")
def test_pod_without_a_shared_pool_is_rejected(prove: Prove) -> None:
    """The container that asks for nothing would have nothing; policy best-effort leaves it to the memory manager to say so."""
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="2Gi", cpu="2")))

    verdict = seen.verdict("a")
    assert verdict is not None
    assert "EmptyPodSharedPoolError" == verdict.reason
    assert "leaving no memory for shared containers" in verdict.message


@case("MM-PODLEVEL-006", machines="two_even", kubelet=[RESTRICTED_POD, SINGLE_POD_CPU], since="1.36")
def test_memory_of_a_pod_is_freed(prove: Prove) -> None:
    """With the last record of its containers, at the next admission."""
    small = guaranteed("b", memory="1Gi")
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="6Gi", cpu="2")), remove("a"), admit(small))

    assert ([], gib(1)) == (seen.pod_blocks("a"), seen.reserved(0) + seen.reserved(1))


@case("MM-PODLEVEL-006", machines="two_even", kubelet=RESTRICTED_POD, since="1.36")
def test_end_of_an_init_container_frees_nothing(prove: Prove) -> None:
    """Its memory is the pod's."""
    init = [container("first", memory="2Gi", cpu="1")]
    seen = prove(admit(pod_level("a", SHARED, init=init, memory="6Gi", cpu="2")), exits("a", "first"))

    assert [] == seen.blocks("a", "first")
    assert gib(6) == seen.reserved(0)


@case("MM-PODLEVEL-007", machines="two_even", kubelet=RESTRICTED_POD, since="1.36")
def test_pod_is_the_same_after_a_restart(prove: Prove) -> None:
    """It runs on, and its memory is counted once."""
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="3Gi", cpu="2")), restart())

    assert seen.admitted("a")
    assert gib(3) == seen.reserved(0) + seen.reserved(1)


@case("MM-PODLEVEL-008", machines="two_even", kubelet=[RESTRICTED, NONE], since="1.36")
def test_containers_are_served_one_by_one(prove: Prove) -> None:
    """Scope container, and policy none: the exclusive container is pinned, the shared one is not, and both run."""
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="6Gi", cpu="2")))

    assert seen.admitted("a")
    assert [block(0, memory="2Gi")] == seen.blocks("a", "own")
    assert ([], []) == (seen.blocks("a", "shared"), seen.pod_blocks("a"))

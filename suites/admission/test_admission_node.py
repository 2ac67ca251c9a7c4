"""Beside the managers: quality of service, policy None, and the node's own sums, which are checked last."""

from __future__ import annotations

from pinproof.history import PodVerdict
from pinproof.suite import Prove, admit, besteffort, block, burstable, case, container, guaranteed, none_policy, static

NONE, RESTRICTED, SINGLE = static(), static(topology="restricted"), static(topology="single-numa-node")
SINGLE_CPU = static(topology="single-numa-node", cpu="static")


def lacking(resource: str, amount: int) -> PodVerdict:
    """The node is too full for a static pod, which is critical, and there is nobody to preempt for it."""
    message = (
        "Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error "
        "finding a set of pods to preempt: no set of running pods found to reclaim resources: "
        f"[(res: {resource}, q: {amount}), ]"
    )
    return PodVerdict(admitted=False, reason="UnexpectedAdmissionError", message=message)


@case("MM-ADMIT-019", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_pods_without_guarantee_are_not_judged_by_nodes(prove: Prove) -> None:
    """A Burstable pod is admitted with a request that no single node has free; only Guaranteed pods need a node."""
    fill = [admit(guaranteed(name, memory="9Gi")) for name in ("a", "b")]
    seen = prove(*fill, admit(besteffort("none")), admit(burstable("some", memory="2Gi")))

    assert seen.admitted("none")
    assert seen.admitted("some")


@case("MM-ADMIT-019", machines="two_even", kubelet=SINGLE_CPU)
def test_single_numa_node_admits_what_asks_for_no_node(prove: Prove) -> None:
    """Under single-numa-node pods that no manager cares for are admitted, and a fraction of a CPU still pins memory."""
    seen = prove(
        admit(besteffort("none")),
        admit(burstable("some", memory="15Gi", cpu="2")),
        admit(guaranteed("fraction", memory="1Gi", cpu="500m")),
    )

    assert ["fraction", "none", "some"] == [name for name in seen.pods() if seen.admitted(name)]
    assert {"fraction": ["c"]} == seen.assigned()


@case("MM-ADMIT-019", machines="two_even", kubelet=[SINGLE, SINGLE_CPU])
def test_fraction_of_a_cpu_does_not_exempt_from_locality(prove: Prove) -> None:
    """A Guaranteed pod is judged by its memory, also when its CPUs are not exclusive."""
    seen = prove(admit(guaranteed("a", memory="15Gi", cpu="500m")))

    answer = seen.verdict("a")
    assert answer is not None
    assert "TopologyAffinityError" == answer.reason


@case("MM-ADMIT-019", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_init_container_without_limits_takes_the_guarantee(prove: Prove) -> None:
    """An init container without limits makes the whole pod Burstable, so no container of it is judged or pinned."""
    seen = prove(admit(burstable("a", containers=[container(memory="15Gi")], init=[container("i", cpu=None)])))

    assert seen.admitted("a")
    assert {} == seen.assigned()


@case("MM-ADMIT-020", machines="two_even", kubelet=[NONE, SINGLE])
def test_burstable_pod_bigger_than_the_node_is_rejected_by_its_sums(prove: Prove) -> None:
    """The node's sum of memory holds for every pod: 21Gi where 20Gi are allocatable lack 1Gi."""
    seen = prove(admit(burstable("a", memory="21Gi")))

    assert lacking("memory", 1_073_741_824) == seen.verdict("a")


@case("MM-ADMIT-020", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_cpus_of_the_node_are_checked_after_the_memory_manager(prove: Prove) -> None:
    """A pod for which the node lacks CPU is rejected by the node's sums, after its memory was already assigned."""
    seen = prove(admit(guaranteed("a", cpu="16", memory="1Gi")), admit(guaranteed("b", cpu="1", memory="2Gi")))

    assert lacking("cpu", 1000) == seen.verdict("b")
    assert [block(0, memory="2Gi")] == seen.blocks("b")
    assert not seen.created("b")


@case("MM-ADMIT-021", machines="two_even", kubelet=[none_policy(), none_policy(topology="single-numa-node")])
def test_policy_none_asks_for_no_node(prove: Prove) -> None:
    """With memory manager policy None a Guaranteed pod bigger than a node is admitted, whatever alignment is wished."""
    seen = prove(admit(guaranteed("a", memory="15Gi")))

    assert seen.admitted("a")
    assert {} == seen.assigned()


@case("MM-ADMIT-021", machines="two_even", kubelet=none_policy())
def test_policy_none_leaves_the_sums_of_the_node(prove: Prove) -> None:
    """With policy None only the node's sum holds: 22Gi where 21404Mi are allocatable lack 1124Mi."""
    seen = prove(admit(guaranteed("a", memory="22Gi")))

    assert lacking("memory", 1_178_599_424) == seen.verdict("a")

"""Who is admitted: the memory that a node, a group of nodes or the machine can give."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, guaranteed, mib, remove, size, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
RESTRICTED_POD, SINGLE_POD = (static(topology=policy, scope="pod") for policy in ("restricted", "single-numa-node"))
EVERY_POLICY = [NONE, BEST_EFFORT, RESTRICTED, SINGLE, RESTRICTED_POD, SINGLE_POD]


@case("MM-ADMIT-001", machines="two_even", kubelet=EVERY_POLICY)
def test_pod_of_exactly_the_free_memory_of_a_node_is_admitted(prove: Prove) -> None:
    """A Guaranteed pod that asks for every allocatable byte of a node gets that node."""
    seen = prove(admit(guaranteed("a", memory="10Gi")))

    assert seen.admitted("a")
    assert [block(0, memory="10Gi")] == seen.blocks("a")


@case("MM-ADMIT-001", machines="one", kubelet=[SINGLE, RESTRICTED])
def test_machine_of_one_node_can_be_filled(prove: Prove) -> None:
    """Where the only node is also the whole machine, a pod that fills it is aligned, and the next has no room."""
    seen = prove(admit(guaranteed("a", memory="9Gi")), admit(guaranteed("b", memory="1Gi")))

    assert [block(0, memory="9Gi")] == seen.blocks("a")
    assert [block(0, memory="1Gi")] == seen.blocks("b")
    assert 0 == seen.free(0)


@case("MM-ADMIT-002", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED, RESTRICTED_POD])
def test_one_byte_more_than_a_node_takes_two_nodes(prove: Prove) -> None:
    """A pod that no single node could ever hold is admitted over as many nodes as it needs."""
    seen = prove(admit(guaranteed("a", memory=f"{size('10Gi') + 1}")))

    assert seen.admitted("a")
    assert [block((0, 1), memory=f"{size('10Gi') + 1}")] == seen.blocks("a")


@case("MM-ADMIT-002", machines="three", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_pod_of_the_whole_machine_is_admitted(prove: Prove) -> None:
    """A pod that asks for every allocatable byte of the machine gets all of its nodes."""
    seen = prove(admit(guaranteed("a", memory="30Gi")))

    assert seen.admitted("a")
    assert [block((0, 1, 2), memory="30Gi")] == seen.blocks("a")


@case("MM-ADMIT-003", machines="two_even", kubelet=[SINGLE, SINGLE_POD])
def test_single_numa_node_rejects_what_needs_two(prove: Prove) -> None:
    """Policy single-numa-node rejects a pod that would need two nodes, by its locality and with nothing booked."""
    seen = prove(admit(guaranteed("a", memory=f"{size('10Gi') + 1}")))

    answer = seen.verdict("a")
    assert answer is not None
    assert not answer.admitted
    assert "TopologyAffinityError" == answer.reason
    assert "Pod was rejected: Resources cannot be allocated with Topology locality" == answer.message
    assert {} == seen.assigned()


@case("MM-ADMIT-004", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED, SINGLE])
def test_scope_container_judges_each_container_for_itself(prove: Prove) -> None:
    """Under scope container two containers that each fit a node are admitted, also where the pod does not fit one."""
    seen = prove(admit(guaranteed("a", containers=[container("c1", memory="6Gi"), container("c2", memory="6Gi")])))

    assert seen.admitted("a")
    assert [block(0, memory="6Gi")] == seen.blocks("a", "c1")
    assert [block(1, memory="6Gi")] == seen.blocks("a", "c2")


@case("MM-ADMIT-005", machines="two_even", kubelet=SINGLE_POD)
def test_scope_pod_judges_the_sum_of_the_containers(prove: Prove) -> None:
    """Under scope pod a pod whose containers fit a node each, but none together, is rejected by single-numa-node."""
    seen = prove(admit(guaranteed("a", containers=[container("c1", memory="6Gi"), container("c2", memory="6Gi")])))

    answer = seen.verdict("a")
    assert answer is not None
    assert "TopologyAffinityError" == answer.reason


@case("MM-ADMIT-005", machines="two_even", kubelet=RESTRICTED_POD)
def test_scope_pod_gives_all_containers_the_nodes_of_the_sum(prove: Prove) -> None:
    """Under scope pod every container of a pod that needs two nodes is given both, also one that would fit in one."""
    seen = prove(admit(guaranteed("a", containers=[container("c1", memory="6Gi"), container("c2", memory="6Gi")])))

    assert [block((0, 1), memory="6Gi")] == seen.blocks("a", "c1")
    assert [block((0, 1), memory="6Gi")] == seen.blocks("a", "c2")


@case("MM-ADMIT-005", machines="two_even", kubelet=[SINGLE_POD, RESTRICTED_POD])
def test_scope_pod_skips_a_node_that_is_too_full_for_the_sum(prove: Prove) -> None:
    """Under scope pod a node with room for the first container but not for the pod is not used for either."""
    two = [container("c1", memory="3Gi"), container("c2", memory="3Gi")]
    seen = prove(admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", containers=two)))

    assert [block(1, memory="3Gi")] == seen.blocks("b", "c1")
    assert [block(1, memory="3Gi")] == seen.blocks("b", "c2")


@case("MM-ADMIT-022", machines="two_even", kubelet=SINGLE_POD)
def test_scope_pod_rejects_what_would_be_torn_apart(prove: Prove) -> None:
    """A pod that no node has room for as a whole is rejected, also when its containers fit different nodes."""
    two = [container("c1", memory="4Gi"), container("c2", memory="4Gi")]
    fill = [admit(guaranteed(name, memory="6Gi")) for name in ("a", "b")]
    seen = prove(*fill, admit(guaranteed("torn", containers=two)))

    used = {node for name in ("c1", "c2") for b in seen.blocks("torn", name) for node in b.affinity}
    assert seen.rejected("torn"), f"admitted by single-numa-node over nodes {sorted(used)}"


@case("MM-ADMIT-006", machines="two_even", kubelet=EVERY_POLICY)
def test_memory_of_a_removed_pod_serves_the_next(prove: Prove) -> None:
    """A pod is admitted on the memory of a pod that was removed before, without another admission in between."""
    fill = [admit(guaranteed(name, memory="10Gi")) for name in ("a", "b")]
    seen = prove(*fill, remove("a"), admit(guaranteed("c", memory="10Gi")))

    assert seen.admitted("c")
    assert [block(0, memory="10Gi")] == seen.blocks("c")


@case("MM-ADMIT-006", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_rejected_pod_does_not_stand_in_the_way(prove: Prove) -> None:
    """Whatever a rejected pod was given until it failed is there for the next pod."""
    three = [container(name, memory="8Gi") for name in ("c1", "c2", "c3")]
    seen = prove(admit(guaranteed("a", containers=three)), admit(guaranteed("b", memory="10Gi")))

    assert seen.rejected("a")
    assert [block(0, memory="10Gi")] == seen.blocks("b")


@case("MM-ADMIT-007", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_what_counts_is_free_memory_not_allocatable(prove: Prove) -> None:
    """A machine is full when its nodes are: two pods fit each node, the fifth is rejected and the four stay."""
    seen = prove(*(admit(guaranteed(name, memory="5Gi")) for name in "abcde"))

    assert [0, 0, 1, 1] == [node for name in "abcd" for b in seen.blocks(name) for node in b.affinity]
    assert seen.rejected("e")
    assert (0, 0) == (seen.free(0), seen.free(1))


@case("MM-ADMIT-007", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_smaller_pod_still_fits_after_a_rejection(prove: Prove) -> None:
    """A pod that does not fit is rejected alone: a smaller one after it gets what was free."""
    seen = prove(
        admit(guaranteed("a", memory="8Gi")),
        admit(guaranteed("b", memory="8Gi")),
        admit(guaranteed("c", memory=f"{mib(2049)}")),
        admit(guaranteed("d", memory="2Gi")),
    )

    assert seen.rejected("c")
    assert [block(0, memory="2Gi")] == seen.blocks("d")

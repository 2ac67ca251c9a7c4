"""Where huge pages come from: memory and pages of a container are bound to one set of nodes."""

from __future__ import annotations

from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.steps import Admit
from pinproof.suite import Prove, admit, block, burstable, case, container, gib, guaranteed, mib, restart, static

NONE = static()
RESTRICTED = static(topology="restricted")
SINGLE = static(topology="single-numa-node")
RESTRICTED_POD = static(topology="restricted", scope="pod")

NOT_ALIGNED = "Pod was rejected: Resources cannot be allocated with Topology locality"
NO_DEFAULT = "failed to get the default NUMA affinity, no NUMA nodes with enough memory is available"
NO_EXTENSION = "failed to find NUMA nodes to extend the current topology hint"


@case("MM-HUGE-008", machines=["hugepages_even", "hugepages_uneven"], kubelet=[NONE, RESTRICTED])
def test_memory_and_pages_share_the_lowest_node_that_has_both(prove: Prove) -> None:
    """A container that any node could serve gets memory and pages of node 0."""
    seen = prove(admit(guaranteed("a", memory="4Gi", hugepages={"2Mi": "64Mi"})))

    assert [block(0, hugepages_2Mi="64Mi"), block(0, memory="4Gi")] == seen.blocks("a")
    assert seen.mems("a") == "0"


@case("MM-HUGE-008", machines=["hugepages_uneven", "hugepages_one_node"], kubelet=[NONE, RESTRICTED])
def test_memory_follows_pages_to_the_only_node_that_has_them(prove: Prove) -> None:
    """Pages that only node 1 has bring the memory there, although node 0 is empty."""
    seen = prove(admit(guaranteed("a", memory="4Gi", hugepages={"1Gi": "2Gi"})))

    assert [block(1, hugepages_1Gi="2Gi"), block(1, memory="4Gi")] == seen.blocks("a")
    assert seen.mems("a") == "1"
    assert gib(10) == seen.free(0)


@case("MM-HUGE-008", machines=["hugepages_uneven", "hugepages_one_node"], kubelet=NONE)
def test_pod_without_pages_does_not_follow(prove: Prove) -> None:
    """Pages that nobody asks for decide nothing."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))

    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-HUGE-008", machines="hugepages_uneven", kubelet=[NONE, SINGLE])
def test_pods_of_different_sizes_land_on_different_nodes(prove: Prove) -> None:
    """2Mi pages are on node 0, 1Gi pages on node 1: one pod of each lands on either."""
    small = guaranteed("small", memory="1Gi", hugepages={"2Mi": "512Mi"})
    large = guaranteed("large", memory="1Gi", hugepages={"1Gi": "1Gi"})
    seen = prove(admit(small), admit(large))

    assert ("0", "1") == (seen.mems("small"), seen.mems("large"))


@case("MM-HUGE-008", machines="hugepages_even", kubelet=[NONE, SINGLE])
def test_both_sizes_and_memory_share_one_node(prove: Prove) -> None:
    """Three types are three blocks on one node."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "512Mi", "1Gi": "1Gi"})))

    expected = [block(0, hugepages_1Gi="1Gi"), block(0, hugepages_2Mi="512Mi"), block(0, memory="1Gi")]
    assert expected == seen.blocks("a")


@case("MM-HUGE-009", machines="hugepages_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_shortage_of_pages_moves_the_memory(prove: Prove) -> None:
    """Node 0 has memory but no page left: memory and pages come from node 1."""
    seen = prove(
        admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "1Gi"})),
        admit(guaranteed("b", memory="1Gi", hugepages={"2Mi": "64Mi"})),
    )

    assert [block(1, hugepages_2Mi="64Mi"), block(1, memory="1Gi")] == seen.blocks("b")
    assert gib(9) == seen.free(0)


@case("MM-HUGE-009", machines="hugepages_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_shortage_of_memory_moves_the_pages(prove: Prove) -> None:
    """Node 0 has pages but too little memory left: both come from node 1."""
    seen = prove(
        admit(guaranteed("a", memory="9Gi")),
        admit(guaranteed("b", memory="2Gi", hugepages={"2Mi": "64Mi"})),
    )

    assert [block(1, hugepages_2Mi="64Mi"), block(1, memory="2Gi")] == seen.blocks("b")
    assert gib(1) == seen.free(0, "hugepages-2Mi")


@case("MM-HUGE-010", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_more_pages_than_a_node_has_span_two_nodes(prove: Prove) -> None:
    """Pages of both nodes are needed, so the memory is bound to both; each type is taken from node 0 first."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "1536Mi"})))

    assert [block((0, 1), hugepages_2Mi="1536Mi"), block((0, 1), memory="1Gi")] == seen.blocks("a")
    assert seen.mems("a") == "0,1"
    assert (0, mib(512)) == (seen.free(0, "hugepages-2Mi"), seen.free(1, "hugepages-2Mi"))
    assert (gib(9), gib(10)) == (seen.free(0), seen.free(1))


@case("MM-HUGE-010", machines="hugepages_even", kubelet=NONE)
def test_pages_over_two_nodes_make_a_group(prove: Prove) -> None:
    """A node of the group that gave memory of one type only is in the group all the same."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "1536Mi"})))

    assert (0, 1) == seen.cells(0) == seen.cells(1)
    assert [2, 2] == [seen.assignments_on(0), seen.assignments_on(1)]


@case("MM-HUGE-010", machines="hugepages_even", kubelet=RESTRICTED)
def test_group_made_by_pages_keeps_small_pods_out(prove: Prove) -> None:
    """The group rule knows no types: a pod that wants memory of one node is rejected while pages bind the two."""
    seen = prove(
        admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "1536Mi"})),
        admit(guaranteed("b", memory="1Gi")),
    )

    assert seen.rejected("b")
    assert {"a": ["c"]} == seen.assigned()


@case("MM-HUGE-011", machines="hugepages_even", kubelet=SINGLE)
def test_single_numa_node_rejects_pages_of_two_nodes(prove: Prove) -> None:
    """`single-numa-node` rejects a pod whose memory fits one node and whose pages do not."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "1536Mi"})))
    verdict = seen.verdict("a")

    assert verdict
    assert ("TopologyAffinityError", NOT_ALIGNED) == (verdict.reason, verdict.message)


@case("MM-HUGE-012", machines="hugepages_even", kubelet=[NONE, SINGLE])
def test_exhausted_pages_reject_a_pod_with_memory_to_spare(prove: Prove) -> None:
    """No page is left on any node: the pod is rejected by the memory manager, which looked for a node of its own."""
    seen = prove(*_all_small_pages(), admit(guaranteed("b", memory="1Gi", hugepages={"2Mi": "2Mi"})))
    verdict = seen.verdict("b")

    assert verdict
    assert verdict.reason == "UnexpectedAdmissionError"
    assert NO_DEFAULT in verdict.message
    assert gib(9) == seen.free(0) == seen.free(1)


@case("MM-HUGE-012", machines="hugepages_even", kubelet=RESTRICTED)
def test_exhausted_pages_cannot_extend_a_hint(prove: Prove) -> None:
    """Where the Topology Manager answers "all nodes" to no preference, the rejection speaks of extending that."""
    seen = prove(*_all_small_pages(), admit(guaranteed("b", memory="1Gi", hugepages={"2Mi": "2Mi"})))
    verdict = seen.verdict("b")

    assert verdict
    assert verdict.reason == "UnexpectedAdmissionError"
    assert NO_EXTENSION in verdict.message


@case("MM-HUGE-012", machines="hugepages_uneven", kubelet=NONE)
def test_types_are_not_split_over_nodes(prove: Prove) -> None:
    """2Mi pages are free on node 0 only and 1Gi pages on node 1 only: a container that wants both is rejected."""
    seen = prove(
        admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "2Gi"})),
        admit(guaranteed("b", memory="1Gi", hugepages={"2Mi": "512Mi", "1Gi": "1Gi"})),
    )

    assert seen.mems("a") == "1"
    assert seen.rejected("b")
    assert (gib(1), gib(4)) == (seen.free(0, "hugepages-2Mi"), seen.free(1, "hugepages-1Gi"))


@case("MM-HUGE-013", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_burstable_pod_with_pages_is_not_pinned(prove: Prove) -> None:
    """Pages of a pod that is not Guaranteed are nobody's business: no block, no `cpuset.mems`, full books."""
    seen = prove(admit(burstable("a", memory="1Gi", hugepages={"2Mi": "512Mi"})))

    assert seen.blocks("a") == []
    assert seen.mems("a") == ""
    assert gib(1) == seen.free(0, "hugepages-2Mi")


@case("MM-HUGE-014", machines="hugepages_even", kubelet=RESTRICTED)
def test_scope_container_places_pages_of_each_container_apart(prove: Prove) -> None:
    """Two containers that together exceed a node's pages get a node each."""
    seen = prove(admit(guaranteed("a", containers=_two_with_pages())))

    assert ("0", "1") == (seen.mems("a", "x"), seen.mems("a", "y"))


@case("MM-HUGE-014", machines="hugepages_even", kubelet=RESTRICTED_POD)
def test_scope_pod_places_pages_of_the_pod_together(prove: Prove) -> None:
    """The pod's total of pages exceeds a node, so every container is bound to both."""
    seen = prove(admit(guaranteed("a", containers=_two_with_pages())))

    assert ("0,1", "0,1") == (seen.mems("a", "x"), seen.mems("a", "y"))
    assert (0, mib(512)) == (seen.free(0, "hugepages-2Mi"), seen.free(1, "hugepages-2Mi"))


@case("MM-HUGE-015", machines="hugepages_even", kubelet=RESTRICTED)
def test_pages_that_only_init_wants_are_placed_in_scope_container(prove: Prove) -> None:
    """Node 0 has no 1Gi page left for the second pod's init container, which goes to node 1."""
    seen = prove(admit(_init_with_pages("a")), admit(_init_with_pages("b")))

    assert [block(1, hugepages_1Gi="2Gi"), block(1, memory="1Gi")] == seen.blocks("b", "i")


@case("MM-HUGE-016", machines="hugepages_even", kubelet=RESTRICTED_POD)
def test_pages_that_only_init_wants_choose_the_node_of_a_pod(prove: Prove) -> None:
    """Node 0 has no 1Gi page left: the second pod goes to node 1, as it does in scope container."""
    seen = prove(admit(_init_with_pages("a")), admit(_init_with_pages("b")))
    verdict = seen.verdict("b")

    assert verdict
    assert NO_EXTENSION not in verdict.message
    assert [block(1, memory="1Gi")] == seen.blocks("b")


@case("MM-HUGE-016", machines="hugepages_even", kubelet=RESTRICTED_POD)
def test_pages_that_only_init_wants_bind_the_whole_pod_to_their_nodes(prove: Prove) -> None:
    """Init wants pages of both nodes: the app is bound to both, and no node is in a group that the other is not in."""
    init = container("i", memory="1Gi", hugepages={"2Mi": "1536Mi"})
    seen = prove(admit(guaranteed("a", memory="1Gi", init=[init])))

    assert [block((0, 1), memory="1Gi")] == seen.blocks("a")
    assert (0, 1) == seen.cells(0) == seen.cells(1)


@case("MM-HUGE-016", machines="hugepages_even", kubelet=static(topology="single-numa-node", scope="pod"))
def test_single_numa_node_rejects_pages_of_two_nodes_that_only_init_wants(prove: Prove) -> None:
    """No single node has the pages of the init container: the pod is rejected, and not spread over two nodes."""
    init = container("i", memory="1Gi", hugepages={"2Mi": "1536Mi"})
    seen = prove(admit(guaranteed("a", memory="1Gi", init=[init])))

    assert {} == seen.assigned()
    assert seen.rejected("a")


@case("MM-HUGE-017", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_pages_survive_a_restart(prove: Prove) -> None:
    """A restarted kubelet keeps blocks and books of every type."""
    b = guaranteed("b", memory="1Gi", hugepages={"2Mi": "64Mi", "1Gi": "1Gi"})
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "1Gi"})), admit(b), restart())

    expected = [block(1, hugepages_1Gi="1Gi"), block(1, hugepages_2Mi="64Mi"), block(1, memory="1Gi")]
    assert expected == seen.blocks("b")
    assert (0, mib(960)) == (seen.free(0, "hugepages-2Mi"), seen.free(1, "hugepages-2Mi"))


def _all_small_pages() -> tuple[Admit, ...]:
    """Two pods that hold all 2Mi pages of a node each."""
    return tuple(admit(guaranteed(name, memory="1Gi", hugepages={"2Mi": "1Gi"})) for name in ("x", "y"))


def _two_with_pages() -> list[Container]:
    """Two containers, each of which takes most of a node's 2Mi pages."""
    return [container(name, memory="1Gi", hugepages={"2Mi": "768Mi"}) for name in ("x", "y")]


def _init_with_pages(name: str) -> Pod:
    """A pod whose init container wants all 1Gi pages of a node, and whose app container wants none."""
    return guaranteed(name, memory="1Gi", init=[container("i", memory="1Gi", hugepages={"1Gi": "2Gi"})])

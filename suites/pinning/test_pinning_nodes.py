"""Which nodes a container gets when memory alone decides."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, guaranteed, remove, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")


@case("MM-PIN-001", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED, SINGLE])
def test_nodes_are_filled_in_ascending_order(prove: Prove) -> None:
    """A container gets the lowest node that has room, the emptiest or the last one used notwithstanding."""
    sizes = {"a": "4Gi", "b": "4Gi", "c": "4Gi", "d": "2Gi", "e": "6Gi"}
    seen = prove(*(admit(guaranteed(name, memory=memory)) for name, memory in sizes.items()))

    nodes = {"a": 0, "b": 0, "c": 1, "d": 0, "e": 1}
    assert {name: [block(node, memory=sizes[name])] for name, node in nodes.items()} == {
        name: seen.blocks(name) for name in sizes
    }


@case("MM-PIN-001", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_containers_of_a_pod_are_placed_one_after_the_other(prove: Prove) -> None:
    """A container sees what the containers before it took: the third returns to the node that the second skipped."""
    three = [container("c1", memory="7Gi"), container("c2", memory="5Gi"), container("c3", memory="3Gi")]
    seen = prove(admit(guaranteed("a", containers=three)))

    assert [block(0, memory="7Gi")] == seen.blocks("a", "c1")
    assert [block(1, memory="5Gi")] == seen.blocks("a", "c2")
    assert [block(0, memory="3Gi")] == seen.blocks("a", "c3")


@case("MM-PIN-002", machines="three", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_two_nodes_where_one_cannot_do(prove: Prove) -> None:
    """A container that no node could hold gets one block over the lowest two nodes, not all and not one block each."""
    seen = prove(admit(guaranteed("a", memory="15Gi")))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")


@case("MM-PIN-002", machines="three", kubelet=[NONE, RESTRICTED])
def test_used_node_is_left_out_of_a_group(prove: Prove) -> None:
    """A group is formed of the nodes that are not in single use."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(guaranteed("b", memory="15Gi")))

    assert [block((1, 2), memory="15Gi")] == seen.blocks("b")


@case("MM-PIN-002", machines="three", kubelet=[NONE, RESTRICTED])
def test_nodes_of_a_group_need_not_be_neighbours(prove: Prove) -> None:
    """A group may leave out a node in the middle."""
    seen = prove(
        admit(guaranteed("a", memory="9Gi")),
        admit(guaranteed("b", memory="5Gi")),
        remove("a"),
        admit(guaranteed("c", memory="15Gi")),
    )

    assert [block(1, memory="5Gi")] == seen.blocks("b")
    assert [block((0, 2), memory="15Gi")] == seen.blocks("c")
    assert "0,2" == seen.mems("c")


@case("MM-PIN-003", machines="two_uneven", kubelet=[NONE, RESTRICTED])
def test_uneven_nodes_are_judged_by_their_own_size(prove: Prove) -> None:
    """The smaller node is used for what fits it, and passed over for what does not."""
    sizes = {"a": "5Gi", "b": "4Gi", "c": "4Gi", "d": "1Gi"}
    seen = prove(*(admit(guaranteed(name, memory=memory)) for name, memory in sizes.items()))

    assert [0, 0, 1, 0] == [node for name in sizes for b in seen.blocks(name) for node in b.affinity]


@case("MM-PIN-003", machines="two_uneven", kubelet=[NONE, RESTRICTED])
def test_uneven_nodes_form_a_group(prove: Prove) -> None:
    """What is more than the larger node takes both."""
    seen = prove(admit(guaranteed("a", memory="14Gi")))

    assert [block((0, 1), memory="14Gi")] == seen.blocks("a")


@case("MM-PIN-003", machines="cxl", kubelet=[NONE, RESTRICTED])
def test_one_large_node_goes_before_two_small_ones(prove: Prove) -> None:
    """The smallest number of nodes wins over the lowest numbers: 15Gi go to the one node that can hold them."""
    seen = prove(admit(guaranteed("a", memory="15Gi")))

    assert [block(2, memory="15Gi")] == seen.blocks("a")


@case("MM-PIN-003", machines="cxl", kubelet=[NONE, RESTRICTED])
def test_pair_that_is_large_enough_goes_before_a_lower_pair(prove: Prove) -> None:
    """Nodes 0 and 1 hold 20Gi together, so 25Gi go to nodes 0 and 2, and not to all three."""
    seen = prove(admit(guaranteed("a", memory="25Gi")))

    assert [block((0, 2), memory="25Gi")] == seen.blocks("a")


@case("MM-PIN-004", machines="four_snc2", kubelet=[NONE, BEST_EFFORT])
def test_group_of_the_fewest_nodes_is_joined(prove: Prove) -> None:
    """A small container that finds groups only joins the smallest that has the memory, and becomes as wide as it."""
    seen = prove(
        admit(guaranteed("a", memory="15Gi")),
        admit(guaranteed("b", memory="17Gi")),
        admit(guaranteed("c", memory="4Gi")),
        admit(guaranteed("d", memory="2Gi")),
    )

    assert [block((2, 3), memory="17Gi")] == seen.blocks("b")
    assert [block((0, 1), memory="4Gi")] == seen.blocks("c")
    assert [block((2, 3), memory="2Gi")] == seen.blocks("d")


@case("MM-PIN-004", machines="three", kubelet=[NONE, BEST_EFFORT])
def test_single_node_goes_before_a_group_that_has_room(prove: Prove) -> None:
    """A small container is placed on a free node rather than in a group of lower numbers."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="2Gi")))

    assert [block(2, memory="2Gi")] == seen.blocks("b")
    assert "2" == seen.mems("b")

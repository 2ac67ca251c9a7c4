"""Groups of nodes and the order of pods: what a pod of several nodes means for those that come after it."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, remove, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED = static(topology="restricted")

LOCALITY = "Pod was rejected: Resources cannot be allocated with Topology locality"


@case("MM-ADMIT-012", machines="two_even", kubelet=RESTRICTED)
def test_restricted_rejects_a_small_pod_while_its_nodes_are_grouped(prove: Prove) -> None:
    """A pod that would fit one node is rejected by restricted when every node is part of a group."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="1Gi")))

    answer = seen.verdict("b")
    assert answer is not None
    assert ("TopologyAffinityError", LOCALITY) == (answer.reason, answer.message)


@case("MM-ADMIT-012", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_small_pod_joins_the_group_where_alignment_is_not_required(prove: Prove) -> None:
    """Without a promise of alignment the same pod is admitted: it joins the group, over all of its nodes."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="1Gi")))

    assert seen.admitted("b")
    assert [block((0, 1), memory="1Gi")] == seen.blocks("b")


@case("MM-ADMIT-012", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_other_order_gives_the_other_verdict(prove: Prove) -> None:
    """In the other order the small pod has its node, and the pod of two nodes is the one to be rejected."""
    seen = prove(admit(guaranteed("b", memory="1Gi")), admit(guaranteed("a", memory="15Gi")))

    assert [block(0, memory="1Gi")] == seen.blocks("b")
    answer = seen.verdict("a")
    assert answer is not None
    assert "UnexpectedAdmissionError" == answer.reason


@case("MM-ADMIT-012", machines="two_even", kubelet=RESTRICTED)
def test_the_same_pod_again_after_a_group_was_formed(prove: Prove) -> None:
    """A pod that was admitted on the empty machine is rejected later, although node 1 has all but 256Mi free."""
    seen = prove(
        admit(guaranteed("small", memory="256Mi")),
        remove("small"),
        admit(guaranteed("big", memory="10496Mi")),
        admit(guaranteed("again", memory="256Mi")),
    )

    assert [block((0, 1), memory="10496Mi")] == seen.blocks("big")
    answer = seen.verdict("again")
    assert answer is not None
    assert "TopologyAffinityError" == answer.reason


@case("MM-ADMIT-013", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_nodes_are_single_again_when_the_group_is_gone(prove: Prove) -> None:
    """The first pod after the last of a group is admitted on one node: the group does not outlive its pods."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), remove("a"), admit(guaranteed("b", memory="1Gi")))

    assert [block(0, memory="1Gi")] == seen.blocks("b")


@case("MM-ADMIT-013", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_group_can_be_formed_when_single_pods_are_gone(prove: Prove) -> None:
    """The first pod of several nodes after the last single-node pod is admitted: single use does not stick either."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), remove("a"), admit(guaranteed("b", memory="15Gi")))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("b")


@case("MM-ADMIT-012", machines="three", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_node_outside_the_group_takes_single_pods(prove: Prove) -> None:
    """A group binds its own nodes only: a small pod goes, aligned, to the node that is not part of it."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="8Gi")))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")
    assert [block(2, memory="8Gi")] == seen.blocks("b")


@case("MM-ADMIT-014", machines="three", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_overlapping_groups_are_refused(prove: Prove) -> None:
    """A pod that would need two nodes, of which one is in another group, is rejected although they have the memory."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="12Gi")))

    assert seen.rejected("b")
    assert [(0, 1), (0, 1), (2,)] == [seen.cells(node) for node in (0, 1, 2)]


@case("MM-ADMIT-014", machines="four_snc2", kubelet=[NONE, RESTRICTED])
def test_second_group_of_other_nodes_is_admitted(prove: Prove) -> None:
    """Two groups live side by side when they share no node, and a third has none left."""
    seen = prove(*(admit(guaranteed(name, memory="15Gi")) for name in "abc"))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")
    assert [block((2, 3), memory="15Gi")] == seen.blocks("b")
    assert seen.rejected("c")


@case("MM-ADMIT-014", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_group_in_use_serves_another_pod_of_exactly_its_nodes(prove: Prove) -> None:
    """A living group with the memory free is no obstacle to a pod that needs all of its nodes."""
    seen = prove(
        admit(guaranteed("a", memory="15Gi")),
        admit(guaranteed("b", memory="1Gi")),
        remove("a"),
        admit(guaranteed("c", memory="15Gi")),
    )

    assert [block((0, 1), memory="1Gi")] == seen.blocks("b")
    assert [block((0, 1), memory="15Gi")] == seen.blocks("c")

"""When memory is given back, and to which node."""

from __future__ import annotations

from pinproof.suite import Prove, admit, besteffort, block, burstable, case, container, gib, guaranteed, remove, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
RESTRICTED_POD = static(topology="restricted", scope="pod")
EVERY_POLICY = [NONE, BEST_EFFORT, RESTRICTED, SINGLE, RESTRICTED_POD]


@case("MM-BOOK-011", machines="two_even", kubelet=EVERY_POLICY)
def test_removal_alone_gives_nothing_back(prove: Prove) -> None:
    """The memory of a removed pod stays booked until some pod is admitted; a BestEffort pod is enough."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), remove("a"), admit(besteffort("b")))

    assert gib(4) == seen.reserved(0, after=2)
    assert {"a": ["c"]} == seen.assigned(after=2)
    assert 0 == seen.reserved(0)
    assert {} == seen.assigned()


@case("MM-BOOK-011", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_burstable_pod_gives_back_what_removed_pods_held(prove: Prove) -> None:
    """All removed pods are collected at once, by a pod that is not pinned itself, and the others keep theirs."""
    seen = prove(
        *(admit(guaranteed(name, memory="3Gi")) for name in "abcd"),
        remove("a"),
        remove("d"),
        admit(burstable("other")),
    )

    assert {"b": ["c"], "c": ["c"]} == seen.assigned()
    assert [gib(6), 0] == [seen.reserved(node) for node in (0, 1)]
    assert [2, 0] == [seen.assignments_on(node) for node in (0, 1)]


@case("MM-BOOK-011", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_rejected_pod_gives_back_what_removed_pods_held(prove: Prove) -> None:
    """An admission that ends in a rejection has collected what was left behind all the same."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), remove("a"), admit(guaranteed("b", memory="21Gi")))

    assert seen.rejected("b")
    assert {} == seen.assigned()
    assert gib(10) == seen.free(0)


@case("MM-BOOK-012", machines="two_even", kubelet=[NONE, SINGLE])
def test_partial_allocation_of_a_rejected_pod_is_kept_until_the_next(prove: Prove) -> None:
    """What the first containers of a rejected pod got is booked until the next admission, and free after it."""
    three = [container(name, memory="6Gi") for name in ("c1", "c2", "c3")]
    seen = prove(admit(guaranteed("a", containers=three)), admit(besteffort("b")))

    assert {"a": ["c1", "c2"]} == seen.assigned(after=1)
    assert [gib(6), gib(6)] == [seen.reserved(node, after=1) for node in (0, 1)]
    assert {} == seen.assigned()
    assert [0, 0] == [seen.reserved(node) for node in (0, 1)]


@case("MM-BOOK-012", machines="two_even", kubelet=RESTRICTED_POD)
def test_group_of_a_rejected_pod_is_dissolved_by_the_next(prove: Prove) -> None:
    """A rejected pod's group does not keep the next pod from a single node."""
    two = [container("c1", memory="12Gi"), container("c2", memory="12Gi")]
    seen = prove(admit(guaranteed("a", containers=two)), admit(guaranteed("b", memory="1Gi")))

    assert [(0, 1), (0, 1)] == [seen.cells(node, after=1) for node in (0, 1)]
    assert [(0,), (1,)] == [seen.cells(node) for node in (0, 1)]
    assert [block(0, memory="1Gi")] == seen.blocks("b")


@case("MM-BOOK-012", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pod_rejected_after_the_managers_is_kept_until_the_next(prove: Prove) -> None:
    """A pod that the node has no CPU for was booked before that was noticed; the next admission gives it back."""
    seen = prove(
        admit(guaranteed("a", cpu="16", memory="1Gi")),
        admit(guaranteed("b", cpu="1", memory="2Gi")),
        admit(besteffort("c")),
    )

    assert gib(3) == seen.reserved(0, after=2)
    assert {"a": ["c"]} == seen.assigned()
    assert gib(1) == seen.reserved(0)


@case("MM-BOOK-013", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_group_is_dissolved_with_its_last_pod(prove: Prove) -> None:
    """When the last pod of a group is collected its nodes are alone again, with everything free."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), remove("a"), admit(besteffort("b")))

    assert [(0, 1), (0, 1)] == [seen.cells(node, after=2) for node in (0, 1)]
    assert [(0,), (1,)] == [seen.cells(node) for node in (0, 1)]
    assert [gib(10), gib(10)] == [seen.free(node) for node in (0, 1)]
    assert [0, 0] == [seen.assignments_on(node) for node in (0, 1)]


@case("MM-BOOK-013", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_group_lives_as_long_as_one_of_its_pods(prove: Prove) -> None:
    """A pod that joined a group keeps it alive when the pod that formed it is gone."""
    seen = prove(
        admit(guaranteed("a", memory="15Gi")),
        admit(guaranteed("b", memory="1Gi")),
        remove("a"),
        admit(besteffort("other")),
    )

    assert [(0, 1), (0, 1)] == [seen.cells(node) for node in (0, 1)]
    assert [1, 1] == [seen.assignments_on(node) for node in (0, 1)]
    assert gib(1) == seen.reserved(0) + seen.reserved(1)


@case("MM-BOOK-013", machines="four_snc2", kubelet=[NONE, RESTRICTED])
def test_one_group_goes_and_the_other_stays(prove: Prove) -> None:
    """The end of one group leaves the other as it is, and a new one takes its nodes."""
    seen = prove(
        admit(guaranteed("a", memory="15Gi")),
        admit(guaranteed("b", memory="15Gi")),
        remove("a"),
        admit(guaranteed("c", memory="9Gi")),
    )

    assert [(0,), (1,), (2, 3), (2, 3)] == [seen.cells(node) for node in range(4)]
    assert [gib(9), 0, gib(10), gib(5)] == [seen.reserved(node) for node in range(4)]


@case("MM-BOOK-014", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_group_gets_memory_back_from_its_lowest_node(prove: Prove) -> None:
    """Release is greedy from the lowest node, not from where the memory was taken: only the group's sum is right."""
    seen = prove(
        admit(guaranteed("a", memory="12Gi")),
        admit(guaranteed("b", memory="5Gi")),
        remove("b"),
        admit(besteffort("other")),
    )

    assert [gib(10), gib(7)] == [seen.reserved(node, after=2) for node in (0, 1)]
    assert [gib(5), gib(7)] == [seen.reserved(node) for node in (0, 1)]


@case("MM-BOOK-014", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_group_sum_survives_coming_and_going(prove: Prove) -> None:
    """After pods of a group came and went in turn, what is reserved is exactly what is left of them."""
    seen = prove(
        admit(guaranteed("a", memory="11Gi")),
        admit(guaranteed("b", memory="2Gi")),
        admit(guaranteed("c", memory="3Gi")),
        remove("a"),
        admit(guaranteed("d", memory="4Gi")),
        remove("b"),
        admit(guaranteed("e", memory="6Gi")),
    )

    assert ["c", "d", "e"] == sorted(seen.assigned())
    assert gib(13) == seen.reserved(0) + seen.reserved(1)
    assert gib(7) == seen.free(0) + seen.free(1)
    assert [3, 3] == [seen.assignments_on(node) for node in (0, 1)]


@case("MM-BOOK-015", machines="two_even", kubelet=EVERY_POLICY)
def test_machine_is_as_new_when_everything_is_gone(prove: Prove) -> None:
    """After all pods were removed the books are those of the start, byte for byte, and can be filled again."""
    sizes = ["6Gi", "7Gi", "4Gi", "3Gi"]
    pods = [admit(guaranteed(f"p{number}", memory=memory)) for number, memory in enumerate(sizes)]
    gone = [remove(f"p{number}") for number in range(len(sizes))]
    seen = prove(*pods, *gone, admit(besteffort("other")))

    assert [0, 0] == [seen.free(node, after=4) for node in (0, 1)]
    assert [seen.node(node, after=0) for node in (0, 1)] == [seen.node(node) for node in (0, 1)]


@case("MM-BOOK-015", machines="ids_gaps", kubelet=RESTRICTED)
def test_group_across_a_gap_is_given_back(prove: Prove) -> None:
    """Release finds the nodes of a group by their numbers."""
    seen = prove(
        admit(guaranteed("a", memory="1Gi")),
        admit(guaranteed("b", memory="15Gi")),
        remove("b"),
        admit(besteffort("other")),
    )

    assert [(0,), (2, 5), (2, 5)] == [seen.cells(node, after=2) for node in (0, 2, 5)]
    assert [gib(9), gib(10), gib(10)] == [seen.free(node) for node in (0, 2, 5)]
    assert [(0,), (2,), (5,)] == [seen.cells(node) for node in (0, 2, 5)]

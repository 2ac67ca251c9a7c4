"""Nodes with unusual numbers, without memory or CPUs, and many of them."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, static

NONE, BEST_EFFORT, RESTRICTED = static(), static(topology="best-effort"), static(topology="restricted")


def pods(count: int) -> list[str]:
    """So many names of pods."""
    return [f"p{number}" for number in range(count)]


@case("MM-PIN-020", machines="ids_offset", kubelet=[NONE, RESTRICTED])
def test_numbers_that_begin_above_zero(prove: Prove) -> None:
    """Blocks and `cpuset_mems` carry the kernel's node numbers, which need not begin at 0."""
    seen = prove(*(admit(guaranteed(name, memory="6Gi")) for name in pods(2)))

    assert [[block(1, memory="6Gi")], [block(2, memory="6Gi")]] == [seen.blocks(name) for name in pods(2)]
    assert ["1", "2"] == [seen.mems(name) for name in pods(2)]


@case("MM-PIN-020", machines="ids_offset", kubelet=RESTRICTED)
def test_group_of_numbers_that_begin_above_zero(prove: Prove) -> None:
    """A group is told by the kernel's numbers too."""
    seen = prove(admit(guaranteed("a", memory="15Gi")))

    assert [block((1, 2), memory="15Gi")] == seen.blocks("a")
    assert "1,2" == seen.mems("a")


@case("MM-PIN-020", machines="ids_gaps", kubelet=[NONE, RESTRICTED])
def test_numbers_with_gaps(prove: Prove) -> None:
    """Numbers with gaps are filled in ascending order."""
    seen = prove(*(admit(guaranteed(name, memory="6Gi")) for name in pods(3)))

    assert ["0", "2", "5"] == [seen.mems(name) for name in pods(3)]


@case("MM-PIN-020", machines="ids_gaps", kubelet=RESTRICTED)
def test_group_of_numbers_with_gaps(prove: Prove) -> None:
    """A group is formed of the remaining nodes, across the gap."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(guaranteed("b", memory="15Gi")))

    assert "0" == seen.mems("a")
    assert [block((2, 5), memory="15Gi")] == seen.blocks("b")
    assert "2,5" == seen.mems("b")


@case("MM-PIN-021", machines="ids_lexical", kubelet=[NONE, RESTRICTED])
def test_numbers_are_ordered_as_numbers(prove: Prove) -> None:
    """Node 9 is filled before node 10, although the kernel's directories come in the order of texts."""
    seen = prove(*(admit(guaranteed(name, memory="6Gi")) for name in pods(4)))

    assert ["2", "9", "10", "11"] == [seen.mems(name) for name in pods(4)]


@case("MM-PIN-021", machines="ids_lexical", kubelet=RESTRICTED)
def test_groups_are_formed_in_the_order_of_numbers(prove: Prove) -> None:
    """The lowest pair of nodes is 2 and 9, the next 10 and 11."""
    seen = prove(*(admit(guaranteed(name, memory="15Gi")) for name in ("a", "b")))

    assert [block((2, 9), memory="15Gi")] == seen.blocks("a")
    assert [block((10, 11), memory="15Gi")] == seen.blocks("b")


@case("MM-PIN-017", machines="cxl", kubelet=[NONE, RESTRICTED])
def test_memory_only_node_takes_what_the_others_have_no_room_for(prove: Prove) -> None:
    """A node without CPUs is a node like any other to a pod without exclusive CPUs."""
    seen = prove(*(admit(guaranteed(name, memory="8Gi")) for name in ("a", "b", "c", "d")))

    assert ["0", "1", "2", "2"] == [seen.mems(name) for name in ("a", "b", "c", "d")]


@case("MM-PIN-018", machines="memoryless", kubelet=[NONE, RESTRICTED])
def test_node_without_memory_takes_no_pod(prove: Prove) -> None:
    """A node without memory is passed over."""
    seen = prove(admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi")))

    assert ["0", "2"] == [seen.mems(name) for name in ("a", "b")]


@case("MM-PIN-018", machines="memoryless", kubelet=[NONE, RESTRICTED])
def test_node_without_memory_is_in_no_group(prove: Prove) -> None:
    """A group is formed around a node without memory."""
    seen = prove(admit(guaranteed("a", memory="15Gi")))

    assert [block((0, 2), memory="15Gi")] == seen.blocks("a")
    assert "0,2" == seen.mems("a")


@case("MM-PIN-022", machines="eight_nps4", kubelet=RESTRICTED)
def test_eight_nodes_form_groups_of_three(prove: Prove) -> None:
    """Nodes of 4Gi serve 9Gi by three, twice; the two that are left do not serve a third pod."""
    seen = prove(*(admit(guaranteed(name, memory="9Gi")) for name in ("a", "b", "c")))

    assert ["0,1,2", "3,4,5"] == [seen.mems(name) for name in ("a", "b")]
    assert seen.rejected("c")


@case("MM-PIN-022", machines="eight_nps4", kubelet=RESTRICTED)
def test_all_eight_nodes_serve_one_container(prove: Prove) -> None:
    """A container of the whole machine is bound to all eight nodes, one by one in the text."""
    seen = prove(admit(guaranteed("a", memory="32Gi")))

    assert "0,1,2,3,4,5,6,7" == seen.mems("a")


@case("MM-PIN-022", machines="sixteen", kubelet=BEST_EFFORT, since="1.31")
def test_sixteen_nodes_serve_groups_of_two_and_fourteen(prove: Prove) -> None:
    """With the option for more than eight nodes all sixteen are used: two for 3Gi, the other fourteen for 27Gi."""
    seen = prove(admit(guaranteed("two", memory="3Gi")), admit(guaranteed("many", memory="27Gi")))

    assert "0,1" == seen.mems("two")
    assert "2,3,4,5,6,7,8,9,10,11,12,13,14,15" == seen.mems("many")

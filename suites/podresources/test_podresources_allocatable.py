"""PodResources `GetAllocatableResources`: what the node has for pods, whoever uses it."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, none_policy, restart, size, static

NONE = static()
RESTRICTED = static(topology="restricted")


@case("MM-PODRES-014", machines=["two_even", "three"], kubelet=[NONE, RESTRICTED])
def test_allocatable_memory_is_that_of_the_state_file(prove: Prove) -> None:
    """One entry for each node, of the size that the state file calls allocatable."""
    seen = prove()
    listed = seen.allocatable_resources.memory

    assert {size("10Gi")} == {entry.size for entry in listed}
    assert [(entry.affinity, entry.size) for entry in listed] == [
        ((node,), seen.allocatable(node)) for node in range(len(listed))
    ]


@case("MM-PODRES-014", machines="two_uneven", kubelet=NONE)
def test_allocatable_memory_is_told_apart_by_node(prove: Prove) -> None:
    """Nodes of different size have entries of different size."""
    expected = (block(0, memory="10Gi"), block(1, memory="4Gi"))

    assert expected == prove().allocatable_resources.memory


@case("MM-PODRES-015", machines="two_even", kubelet=[none_policy(), none_policy(topology="restricted")])
def test_policy_none_has_no_allocatable_memory(prove: Prove) -> None:
    """Under policy None the memory manager answers for nothing."""
    assert () == prove().allocatable_resources.memory


@case("MM-PODRES-016", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_allocatable_memory_does_not_shrink(prove: Prove) -> None:
    """Pods that take memory of one node, or of both, leave what is allocatable as it is."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="14Gi")))

    expected = (block(0, memory="10Gi"), block(1, memory="10Gi"))
    assert [expected] * 3 == [seen.at(step).allocatable_resources.memory for step in range(3)]


@case("MM-PODRES-016", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_allocatable_memory_after_a_restart_is_not_what_is_free(prove: Prove) -> None:
    """A kubelet that restored a pod's memory still tells the capacity."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), restart())

    assert size("6Gi") == seen.free(0)
    assert (block(0, memory="10Gi"), block(1, memory="10Gi")) == seen.allocatable_resources.memory


@case("MM-PODRES-017", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_allocatable_huge_pages_are_told_in_bytes(prove: Prove) -> None:
    """Every page size of every node has an entry of its own."""
    expected = sorted(
        entry
        for node in (0, 1)
        for entry in (block(node, hugepages_1Gi="2Gi"), block(node, hugepages_2Mi="1Gi"), block(node, memory="10Gi"))
    )

    assert expected == list(prove().allocatable_resources.memory)


@case("MM-PODRES-018", machines="hugepages_uneven", kubelet=NONE)
def test_page_sizes_without_pages_are_left_out(prove: Prove) -> None:
    """A node that has no 1Gi page has no entry for them; the other node's entries are there."""
    expected = (
        block(0, hugepages_2Mi="1Gi"),
        block(0, memory="10Gi"),
        block(1, hugepages_1Gi="4Gi"),
        block(1, hugepages_2Mi="2Gi"),
        block(1, memory="10Gi"),
    )

    assert expected == prove().allocatable_resources.memory


@case("MM-PODRES-018", machines="memoryless", kubelet=NONE)
def test_nodes_without_memory_are_left_out(prove: Prove) -> None:
    """A node that has CPUs and no memory has no entry."""
    expected = (block(0, memory="10Gi"), block(2, memory="10Gi"))

    assert expected == prove().allocatable_resources.memory


@case("MM-PODRES-019", machines="two_even", kubelet=static(topology="restricted", cpu="static"))
def test_allocatable_cpus_are_told_beside_memory(prove: Prove) -> None:
    """All CPUs but the reserved one, also while a pod holds some of them."""
    seen = prove(admit(guaranteed("a", memory="4Gi", cpu="2")))

    assert seen.allocatable_resources.cpus == "1-15"
    assert (block(0, memory="10Gi"), block(1, memory="10Gi")) == seen.allocatable_resources.memory

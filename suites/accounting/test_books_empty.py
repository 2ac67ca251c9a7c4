"""The books of a machine on which nothing runs: what each node has, and what is kept for the system."""

from __future__ import annotations

from pinproof.history import NodeState, Table
from pinproof.suite import (
    Prove,
    admit,
    besteffort,
    block,
    burstable,
    case,
    configured,
    gib,
    guaranteed,
    mib,
    none_policy,
    size,
    static,
)

NONE, RESTRICTED = static(), static(topology="restricted")
UNEVEN = static(reserved={0: "1Gi", 1: "256Mi"})
ONE_SIDED = static(reserved={1: "512Mi"})
PERCENT = configured(
    "static_percent",
    memory_manager_policy="Static",
    eviction_hard={"memory.available": "5%"},
    reserved_memory={0: {"memory": "1127428932"}},
)


def unused(node: int, total: int, kept: int) -> NodeState:
    """Books of a node without huge pages on which nothing is booked; sizes in bytes."""
    table = Table(total=total, system_reserved=kept, allocatable=total - kept, reserved=0, free=total - kept)
    return NodeState(number_of_assignments=0, memory={"memory": table}, cells=(node,))


@case("MM-BOOK-001", machines="two_uneven", kubelet=NONE)
def test_every_node_has_books_of_its_own(prove: Prove) -> None:
    """A fresh kubelet books, node by node, the kernel's total, the reservation, and the rest as free."""
    seen = prove()

    assert unused(0, total=mib(10752), kept=mib(512)) == seen.node(0)
    assert unused(1, total=mib(4608), kept=mib(512)) == seen.node(1)


@case("MM-BOOK-001", machines="ids_gaps", kubelet=RESTRICTED)
def test_books_are_kept_under_the_numbers_of_the_kernel(prove: Prove) -> None:
    """The nodes of the books are those of the kernel, gaps included."""
    seen = prove(admit(besteffort("a")))

    assert {number: unused(number, total=mib(10752), kept=mib(512)) for number in (0, 2, 5)} == {
        number: seen.node(number) for number in seen.observation().machine or {}
    }


@case("MM-BOOK-001", machines="memoryless", kubelet=NONE)
def test_node_without_memory_has_books_of_zeros(prove: Prove) -> None:
    """A node without memory is in the books with nothing to give."""
    seen = prove()

    assert unused(1, total=0, kept=0) == seen.node(1)


@case("MM-BOOK-001", machines="hugepages_even", kubelet=NONE)
def test_huge_pages_are_booked_beside_the_memory(prove: Prove) -> None:
    """Huge pages have books of their own; they are part of the total of memory, and not of what is allocatable."""
    seen = prove()

    assert Table(mib(13824), mib(512), gib(10), 0, gib(10)) == seen.table(0)
    assert Table(gib(1), 0, gib(1), 0, gib(1)) == seen.table(0, "hugepages-2Mi")
    assert Table(gib(2), 0, gib(2), 0, gib(2)) == seen.table(0, "hugepages-1Gi")


@case("MM-BOOK-002", machines="two_even", kubelet=UNEVEN)
def test_uneven_reservation_is_kept_node_by_node(prove: Prove) -> None:
    """Each node keeps its own reservation: 10Gi fit node 1 with 256Mi kept, not node 0 with 1Gi kept."""
    seen = prove(admit(guaranteed("a", memory="10Gi")))

    assert [mib(1024), mib(256)] == [seen.system_reserved(node) for node in (0, 1)]
    assert [mib(9728), mib(10496)] == [seen.allocatable(node) for node in (0, 1)]
    assert [block(1, memory="10Gi")] == seen.blocks("a")


@case("MM-BOOK-002", machines="two_even", kubelet=ONE_SIDED)
def test_node_without_reservation_gives_all_it_has(prove: Prove) -> None:
    """A node that is not named in the reservation keeps nothing back, to the last byte."""
    seen = prove(admit(guaranteed("a", memory="10752Mi")))

    assert [0, mib(512)] == [seen.system_reserved(node) for node in (0, 1)]
    assert [block(0, memory="10752Mi")] == seen.blocks("a")
    assert 0 == seen.free(0)


@case("MM-BOOK-003", machines="two_even", kubelet=PERCENT)
def test_percentage_is_taken_of_the_machine_in_single_precision(prove: Prove) -> None:
    """A threshold of 5% of 21Gi is 1127428932 bytes, 16 more than exact arithmetic has it; the kubelet starts on it."""
    seen = prove()

    assert seen.running
    assert [1_127_428_932, 0] == [seen.system_reserved(node) for node in (0, 1)]
    assert size("10752Mi") - 1_127_428_932 == seen.free(0)


@case("MM-BOOK-004", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pods_without_guarantee_are_not_booked(prove: Prove) -> None:
    """Pods that are not pinned leave the books as they are."""
    seen = prove(admit(besteffort("a")), admit(burstable("b", memory="4Gi", cpu="1")))

    assert {node: unused(node, total=mib(10752), kept=mib(512)) for node in (0, 1)} == {
        node: seen.node(node) for node in (0, 1)
    }


@case("MM-BOOK-004", machines="two_even", kubelet=none_policy())
def test_policy_none_keeps_no_books(prove: Prove) -> None:
    """With policy None the books are empty, with a Guaranteed pod too."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))

    assert {} == seen.observation().machine
    assert {} == seen.assigned()

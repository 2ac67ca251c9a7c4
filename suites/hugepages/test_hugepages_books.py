"""Huge pages in the books: every page size is a memory type of its own, counted in bytes on every node."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    admit,
    besteffort,
    block,
    case,
    configured,
    container,
    guaranteed,
    mib,
    remove,
    size,
    static,
)

RESERVED_PAGES = configured(
    "reserved_pages",
    memory_manager_policy="Static",
    kube_reserved={"memory": "924Mi"},
    reserved_memory={0: {"memory": "512Mi", "hugepages-2Mi": "10Mi"}, 1: {"memory": "512Mi"}},
)
KUBE_RESERVED_PAGES = configured(
    "kube_reserved_pages",
    memory_manager_policy="Static",
    kube_reserved={"memory": "924Mi", "hugepages-2Mi": "10Mi"},
    reserved_memory={0: {"memory": "512Mi", "hugepages-2Mi": "10Mi"}, 1: {"memory": "512Mi"}},
)


@case("MM-HUGE-001", machines="hugepages_even", kubelet=static())
def test_pages_are_part_of_total_memory_but_not_of_allocatable(prove: Prove) -> None:
    """Total of `memory` contains the huge pages, allocatable is what they and the reservation leave."""
    books = prove().table(0)

    assert size("13824Mi") == books.total
    assert size("512Mi") == books.system_reserved
    assert size("10Gi") == books.allocatable == books.free


@case("MM-HUGE-002", machines="hugepages_even", kubelet=static())
def test_pages_are_counted_in_bytes(prove: Prove) -> None:
    """512 pages of 2Mi are 1Gi, 2 pages of 1Gi are 2Gi; nothing of them is reserved for the system."""
    seen = prove()

    assert size("1Gi") == seen.total(1, "hugepages-2Mi") == seen.allocatable(1, "hugepages-2Mi")
    assert size("2Gi") == seen.total(1, "hugepages-1Gi") == seen.allocatable(1, "hugepages-1Gi")
    assert seen.system_reserved(1, "hugepages-2Mi") == 0


@case("MM-HUGE-002", machines="hugepages_uneven", kubelet=static())
def test_pages_are_counted_on_the_node_that_has_them(prove: Prove) -> None:
    """Pools that differ by node stay apart: the machine's total is not spread over its nodes."""
    seen = prove()

    assert [size("1Gi"), size("2Gi")] == [seen.total(node, "hugepages-2Mi") for node in (0, 1)]
    assert [0, size("4Gi")] == [seen.total(node, "hugepages-1Gi") for node in (0, 1)]


@case("MM-HUGE-003", machines=["hugepages_uneven", "hugepages_one_node"], kubelet=static())
def test_size_without_pages_has_books_of_zero(prove: Prove) -> None:
    """A page size that the kernel offers is in the books of a node that has none of its pages."""
    books = prove().table(0, "hugepages-1Gi")

    assert (0, 0, 0, 0, 0) == (books.total, books.system_reserved, books.allocatable, books.reserved, books.free)


@case("MM-HUGE-003", machines="two_even", kubelet=static())
def test_kernel_without_huge_pages_has_no_books_of_them(prove: Prove) -> None:
    """No page size is made up where the kernel offers none."""
    seen = prove()

    assert {"memory"} == set(seen.node(0).memory) == set(seen.node(1).memory)


@case("MM-HUGE-004", machines="hugepages_even", kubelet=static())
def test_every_type_is_taken_from_its_own_books(prove: Prove) -> None:
    """A container with memory and 2Mi pages leaves the 1Gi pages alone, and its pages do not shorten the memory."""
    seen = prove(admit(guaranteed("a", memory="3Gi", hugepages={"2Mi": "640Mi"})))

    assert size("7Gi") == seen.free(0)
    assert mib(640) == seen.reserved(0, "hugepages-2Mi")
    assert mib(384) == seen.free(0, "hugepages-2Mi")
    assert size("2Gi") == seen.free(0, "hugepages-1Gi")


@case("MM-HUGE-005", machines="hugepages_even", kubelet=static())
def test_every_type_counts_as_an_assignment(prove: Prove) -> None:
    """`numberOfAssignments` counts blocks: memory and two page sizes are three."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "64Mi", "1Gi": "1Gi"})))

    assert seen.assignments_on(0) == 3
    assert seen.assignments_on(1) == 0


@case("MM-HUGE-005", machines="hugepages_even", kubelet=static())
def test_request_of_no_pages_counts_too(prove: Prove) -> None:
    """A type that is requested with 0 gets a block of size 0, which is an assignment."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "0"})))

    assert [block(0, hugepages_2Mi="0"), block(0, memory="1Gi")] == seen.blocks("a")
    assert seen.assignments_on(0) == 2


@case("MM-HUGE-004", machines="hugepages_even", kubelet=static())
def test_pages_of_all_containers_add_up(prove: Prove) -> None:
    """Each container of a pod has blocks of its own, and the books hold their sum."""
    pages = [
        container(name, memory="1Gi", hugepages={"2Mi": amount}) for name, amount in (("x", "64Mi"), ("y", "96Mi"))
    ]
    seen = prove(admit(guaranteed("a", containers=pages)))

    assert [block(0, hugepages_2Mi="64Mi"), block(0, memory="1Gi")] == seen.blocks("a", "x")
    assert [block(0, hugepages_2Mi="96Mi"), block(0, memory="1Gi")] == seen.blocks("a", "y")
    assert mib(160) == seen.reserved(0, "hugepages-2Mi")


@case("MM-HUGE-006", machines="hugepages_even", kubelet=[static(), static(topology="restricted")])
def test_pages_of_a_removed_pod_are_free_after_the_next_admission(prove: Prove) -> None:
    """Pages are given back with the memory, when the next pod of any QoS class is admitted."""
    a = guaranteed("a", memory="4Gi", hugepages={"2Mi": "1Gi", "1Gi": "2Gi"})
    seen = prove(admit(a), remove(a), admit(besteffort("b")))

    assert [0, 0] == [seen.free(0, kind, after=1) for kind in ("hugepages-2Mi", "hugepages-1Gi")]
    assert [size("1Gi"), size("2Gi")] == [seen.free(0, kind) for kind in ("hugepages-2Mi", "hugepages-1Gi")]
    assert seen.assignments_on(0) == 0


@case("MM-HUGE-007", machines="hugepages_even", kubelet=RESERVED_PAGES)
def test_reservation_of_pages_is_refused(prove: Prove) -> None:
    """Node Allocatable reserves no huge pages, so a reservation of them never adds up and the kubelet exits."""
    seen = prove()

    assert not seen.running
    assert (
        'the total amount "10Mi" of type "hugepages-2Mi" is not equal to the value "0" determined by Node Allocatable feature'
        in seen.refusal
    )


@case("MM-HUGE-007", machines="hugepages_even", kubelet=KUBE_RESERVED_PAGES)
def test_pages_cannot_be_reserved_for_kubernetes_either(prove: Prove) -> None:
    """The other half of such a reservation is refused as well: `kubeReserved` knows no huge pages."""
    seen = prove()

    assert not seen.running
    assert 'cannot reserve "hugepages-2Mi" resource' in seen.refusal

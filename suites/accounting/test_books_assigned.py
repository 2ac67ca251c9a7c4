"""What an admission writes into the books."""

from __future__ import annotations

from pinproof.history import NodeState, Table
from pinproof.suite import Prove, admit, block, case, container, exits, gib, guaranteed, mib, size, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
RESTRICTED_POD = static(topology="restricted", scope="pod")
RESTRICTED_CPU = static(topology="restricted", cpu="static")
RESTRICTED_POD_CPU = static(topology="restricted", scope="pod", cpu="static")


def used(reserved: int, *, assignments: int, cells: tuple[int, ...]) -> NodeState:
    """Books of a node of 10Gi allocatable of which so many bytes are reserved."""
    table = Table(
        total=mib(10752),
        system_reserved=mib(512),
        allocatable=gib(10),
        reserved=reserved,
        free=gib(10) - reserved,
    )
    return NodeState(number_of_assignments=assignments, memory={"memory": table}, cells=cells)


@case("MM-BOOK-005", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED, SINGLE, RESTRICTED_POD])
def test_one_pod_on_one_node(prove: Prove) -> None:
    """A pod's memory moves from free to reserved on its node, counts as one assignment, and is booked nowhere else."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))

    assert used(gib(4), assignments=1, cells=(0,)) == seen.node(0)
    assert used(0, assignments=0, cells=(1,)) == seen.node(1)


@case("MM-BOOK-005", machines="two_even", kubelet=[NONE, RESTRICTED_POD])
def test_every_container_is_booked(prove: Prove) -> None:
    """Two containers are two assignments, and their sizes add up."""
    two = [container("c1", memory="4Gi"), container("c2", memory="3Gi")]
    seen = prove(admit(guaranteed("a", containers=two)))

    assert used(gib(7), assignments=2, cells=(0,)) == seen.node(0)


@case("MM-BOOK-005", machines="two_even", kubelet=NONE)
def test_sizes_are_booked_to_the_byte(prove: Prove) -> None:
    """Decimal and odd sizes are neither rounded to pages nor to a unit."""
    seen = prove(
        admit(guaranteed("a", memory="1G")),
        admit(guaranteed("b", memory="1234567891")),
        admit(guaranteed("c", memory="1e9")),
    )

    assert [block(0, memory="1234567891")] == seen.blocks("b")
    assert 3_234_567_891 == seen.reserved(0)
    assert size("10Gi") - 3_234_567_891 == seen.free(0)


@case("MM-BOOK-006", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED])
def test_group_is_filled_from_its_lowest_node(prove: Prove) -> None:
    """15Gi over two nodes of 10Gi take all of node 0 and 5Gi of node 1, not half of each."""
    seen = prove(admit(guaranteed("a", memory="15Gi")))

    assert used(gib(10), assignments=1, cells=(0, 1)) == seen.node(0)
    assert used(gib(5), assignments=1, cells=(0, 1)) == seen.node(1)


@case("MM-BOOK-006", machines="eight_nps4", kubelet=RESTRICTED)
def test_wide_group_is_filled_in_ascending_order(prove: Prove) -> None:
    """30Gi over eight nodes of 4Gi leave 2Gi on the last of them."""
    seen = prove(admit(guaranteed("a", memory="30Gi")))

    assert [0] * 7 + [gib(2)] == [seen.free(node) for node in range(8)]
    assert [tuple(range(8))] * 8 == [seen.cells(node) for node in range(8)]


@case("MM-BOOK-006", machines="ids_lexical", kubelet=RESTRICTED)
def test_group_is_filled_in_the_order_of_numbers(prove: Prove) -> None:
    """Node 9 is filled before node 10."""
    seen = prove(admit(guaranteed("a", memory="25Gi")))

    assert [0, 0, gib(5), gib(10)] == [seen.free(node) for node in (2, 9, 10, 11)]
    assert [(2, 9, 10)] * 3 + [(11,)] == [seen.cells(node) for node in (2, 9, 10, 11)]


@case("MM-BOOK-006", machines="two_uneven", kubelet=NONE)
def test_group_of_uneven_nodes_is_filled_by_what_each_has(prove: Prove) -> None:
    """12Gi over nodes of 10Gi and 4Gi take 10Gi and 2Gi."""
    seen = prove(admit(guaranteed("a", memory="12Gi")))

    assert [gib(10), gib(2)] == [seen.reserved(node) for node in (0, 1)]


@case("MM-BOOK-007", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_node_that_gave_nothing_counts_the_assignment(prove: Prove) -> None:
    """A pod that joins a group is counted on every node of it, also on the full one from which it took nothing."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="1Gi")))

    assert used(gib(10), assignments=2, cells=(0, 1)) == seen.node(0)
    assert used(gib(6), assignments=2, cells=(0, 1)) == seen.node(1)


@case("MM-BOOK-007", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_every_memory_type_is_an_assignment(prove: Prove) -> None:
    """A container with memory and two sizes of huge pages is three assignments on its node."""
    pages = {"2Mi": "64Mi", "1Gi": "1Gi"}
    seen = prove(admit(guaranteed("a", memory="4Gi", hugepages=pages)))

    assert [3, 0] == [seen.assignments_on(node) for node in (0, 1)]
    assert [gib(4), mib(64), gib(1)] == [
        seen.reserved(0, kind) for kind in ("memory", "hugepages-2Mi", "hugepages-1Gi")
    ]


@case("MM-BOOK-008", machines="four_snc2", kubelet=[NONE, RESTRICTED])
def test_two_groups_have_books_of_their_own(prove: Prove) -> None:
    """Each node names its own group, and is charged for it alone."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="12Gi")))

    assert [(0, 1), (0, 1), (2, 3), (2, 3)] == [seen.cells(node) for node in range(4)]
    assert [gib(10), gib(5), gib(10), gib(2)] == [seen.reserved(node) for node in range(4)]


@case("MM-BOOK-008", machines="three", kubelet=[NONE, RESTRICTED])
def test_group_and_single_use_live_side_by_side(prove: Prove) -> None:
    """A node outside the group stays alone in its books."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), admit(guaranteed("b", memory="4Gi")))

    assert [(0, 1), (0, 1), (2,)] == [seen.cells(node) for node in range(3)]
    assert [1, 1, 1] == [seen.assignments_on(node) for node in range(3)]


@case("MM-BOOK-008", machines="cxl", kubelet=NONE)
def test_group_across_a_node_that_is_left_out(prove: Prove) -> None:
    """A group of nodes 0 and 2 leaves the books of node 1 untouched."""
    seen = prove(admit(guaranteed("a", memory="25Gi")))

    assert [(0, 2), (1,), (0, 2)] == [seen.cells(node) for node in range(3)]
    assert [gib(10), 0, gib(15)] == [seen.reserved(node) for node in range(3)]


@case("MM-BOOK-009", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_container_that_comes_back_is_not_booked_again(prove: Prove) -> None:
    """Restarts of a container change nothing in the books."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), exits("a", "c", 1))

    assert seen.node(0, after=1) == seen.node(0)
    assert used(gib(4), assignments=1, cells=(0,)) == seen.node(0)


@case("MM-BOOK-010", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED, SINGLE])
def test_pod_that_got_nothing_leaves_no_trace(prove: Prove) -> None:
    """A pod that is rejected at its first container changes nothing in the books."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), admit(guaranteed("b", memory="21Gi")))

    assert used(gib(4), assignments=1, cells=(0,)) == seen.node(0)
    assert used(0, assignments=0, cells=(1,)) == seen.node(1)


@case("MM-BOOK-010", machines="two_even", kubelet=RESTRICTED_CPU)
def test_pod_rejected_for_its_locality_leaves_no_trace(prove: Prove) -> None:
    """A pod whose CPUs and memory cannot be aligned is rejected before anything is booked."""
    seen = prove(admit(guaranteed("a", memory="15Gi", cpu="2")))

    assert seen.rejected("a")
    assert [0, 0] == [seen.reserved(node) for node in (0, 1)]
    assert "" == seen.exclusive_cpus("a")


@case("MM-BOOK-016", machines="two_even", kubelet=RESTRICTED_POD_CPU)
def test_node_of_the_cpus_is_not_taken_out_of_a_group(prove: Prove) -> None:
    """After one container was extended to both nodes, the next is not booked on the node of the CPUs alone."""
    sizes = {"c1": ("4", "12Gi"), "c2": ("2", "7Gi"), "c3": ("2", "7Gi")}
    seen = prove(
        admit(guaranteed("a", containers=[container(name, cpu=cpu, memory=m) for name, (cpu, m) in sizes.items()]))
    )

    groups = {node: seen.cells(node) for node in (0, 1)}
    mutual = all(groups[member] == group for group in groups.values() for member in group)
    assert mutual, f"the nodes name different groups: {groups}"

"""The books against behaviour.md 2 and 3.11: what is taken, given back, and who belongs to whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinproof.reference.books import UINT64, Books, default_books
from pinproof.reference.masks import positions
from tests.reference_values import GIB, MIB, books, free, masks, takes, used_books


def test_huge_pages_are_in_the_total_but_not_in_the_allocatable() -> None:
    """Worked example of 2.2: 10 GiB, 512 MiB reserved, 2 pages of 1 GiB and 512 of 2 MiB leave 6.5 GiB."""
    sizes = {"memory": (10 * GIB, 512 * MIB), "hugepages-1Gi": (2 * GIB, 0), "hugepages-2Mi": (GIB, 0)}
    made = default_books([(0, sizes)])

    assert ("hugepages-1Gi", "hugepages-2Mi", "memory") == made.types
    assert 10 * GIB == made.nodes[0].tables[2].total
    assert 6656 * MIB == made.nodes[0].tables[2].allocatable


def test_reserved_huge_pages_are_taken_off_memory_all_the_same() -> None:
    """The totals of huge pages are subtracted, also where they are reserved for the system."""
    made = default_books([(0, {"memory": (10, 1), "hugepages-2Mi": (4, 3)})])

    assert (1, 5) == (made.nodes[0].tables[0].allocatable, made.nodes[0].tables[1].allocatable)


def test_reservation_beyond_the_node_wraps_around() -> None:
    """All arithmetic is unsigned, 64 bit."""
    assert UINT64 - 1 == default_books([(0, {"memory": (4, 5)})]).nodes[0].tables[0].allocatable


def test_release_is_greedy_from_what_is_reserved() -> None:
    """Example of 3.11: two nodes of 4; 5 and 2 are taken, 2 given back: free is 2 and 1, not 0 and 3."""
    both = books(4, 4).take(0b11, "memory", 5)
    assert [0, 3] == free(both)
    both = both.take(0b11, "memory", 2)
    assert [0, 1] == free(both)

    assert [2, 1] == free(both.give_back(0b11, "memory", 2))


def test_empty_block_counts_and_groups_like_any_other() -> None:
    """A block of 0 bytes adds an assignment to every node of its mask, and makes them a group."""
    nodes = books(4, 4, 4).take(0b101, "memory", 0).nodes

    assert [1, 0, 1] == [node.number_of_assignments for node in nodes]
    assert [0b101, 0b010, 0b101] == [node.group for node in nodes]


def test_what_does_not_fit_is_lost() -> None:
    """Nothing checks that a block was taken in full."""
    assert [0] == free(books(4).take(1, "memory", 5))


def test_group_ends_with_its_last_assignment() -> None:
    """A node is alone again once nothing is assigned to it."""
    both = books(4, 4).take(0b11, "memory", 2).take(0b11, "memory", 2).give_back(0b11, "memory", 2)
    assert [0b11, 0b11] == [node.group for node in both.nodes]

    assert [0b01, 0b10] == [node.group for node in both.give_back(0b11, "memory", 2).nodes]


def test_positions_follow_ids_with_gaps() -> None:
    """Masks are by position, ids by the kernel's number."""
    made = default_books([(10, {"memory": (1, 0)}), (2, {"memory": (1, 0)})])

    assert (2, 10) == made.ids
    assert 0b10 == made.mask_of([10])
    assert (2, 10) == made.ids_of(0b11)


def _balanced(machine: Books) -> bool:
    return all(t.free + t.reserved == t.allocatable and t.free >= 0 for node in machine.nodes for t in node.tables)


@given(st.lists(st.integers(0, 16), min_size=4, max_size=4), takes)
def test_free_and_reserved_always_make_allocatable(sizes: list[int], steps: list[tuple[int, int]]) -> None:
    """Whatever is taken and given back, in whatever order, on whatever masks."""
    machine = books(*sizes)
    for mask, size in steps:
        machine = machine.take(mask, "memory", size)
        assert _balanced(machine)
    for mask, size in steps:
        machine = machine.give_back(mask, "memory", size)
        assert _balanced(machine)


@given(used_books(), masks, st.integers(0, 64))
def test_taking_and_giving_back_keeps_the_sum(machine: Books, mask: int, size: int) -> None:
    """`give_back` after `take` restores the sum over the mask, if everything fitted, and every count."""
    size = min(size, machine.free_over(mask, "memory"))
    after = machine.take(mask, "memory", size).give_back(mask, "memory", size)

    assert machine.free_over(mask, "memory") == after.free_over(mask, "memory")
    assert [n.number_of_assignments for n in machine.nodes] == [n.number_of_assignments for n in after.nodes]


@given(used_books(), masks, st.integers(0, 64))
def test_taking_fills_nodes_in_order(machine: Books, mask: int, size: int) -> None:
    """A node of the mask is only touched when the nodes before it are empty."""
    before, after = free(machine), free(machine.take(mask, "memory", size))

    nodes = positions(mask)
    last = max((i for i in nodes if after[i] < before[i]), default=-1)
    assert [0] * len([i for i in nodes if i < last]) == [after[i] for i in nodes if i < last]

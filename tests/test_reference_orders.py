"""Clean-up walks Go maps: where masks overlap the order of the releases decides what stays reserved, and on which node."""

from __future__ import annotations

from collections.abc import Mapping

from pinproof.reference.decisions import Reached
from pinproof.reference.orders import order_is_free
from pinproof.reference.release import remove_stale
from pinproof.reference.static_policy import MemoryState, Share
from tests.reference_values import books

OVERLAPPING = MemoryState(
    books(8, 8).take(0b01, "memory", 3).take(0b11, "memory", 10),
    {"x": {"c": (Share(0b11, "memory", 10),)}, "y": {"c": (Share(0b01, "memory", 3),)}},
)


def test_masks_that_are_equal_or_apart_leave_the_order_free() -> None:
    """Those that overlap do not."""
    assert order_is_free([0b011, 0b011, 0b100])
    assert not order_is_free([0b011, 0b010])


def test_every_outcome_is_offered_with_its_chance() -> None:
    """Group first: it takes node 0's memory with it, and 3 bytes stay reserved on node 1. Single block first: none do."""
    offered: list[Mapping[str, float]] = []
    found = Reached()

    def last(options: Mapping[str, float]) -> str:
        offered.append(options)
        return list(options)[-1]

    outcomes = {
        tuple(remove_stale(OVERLAPPING, {}, choose, found).books.free("memory"))
        for choose in (last, lambda options: next(iter(options)))
    }

    assert {(8, 5), (8, 8)} == outcomes
    assert [0.5, 0.5] == list(offered[0].values())
    assert (2, 4) == (found["release.order-decides"], found["release.stale"])


def test_records_are_gone_whatever_the_order() -> None:
    """And nothing is assigned to any node."""
    after = remove_stale(OVERLAPPING, {})

    assert {} == after.entries
    assert [(0, 0b01), (0, 0b10)] == [(node.number_of_assignments, node.group) for node in after.books.nodes]


def test_pod_that_stays_keeps_its_blocks() -> None:
    """Only what goes is released in any order; here that is one block."""
    found = Reached()
    after = remove_stale(OVERLAPPING, {"x": ("c",)}, reach=found)

    assert {"x": OVERLAPPING.entries["x"]} == after.entries
    assert 0 == found["release.order-decides"]

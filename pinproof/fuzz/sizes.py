"""Drawn sizes: "what is free on this node, and one page more" rather than a number, because that is where decisions are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pinproof.fuzz.amounts import GIB, KIB, MIB
from pinproof.fuzz.draws import Draws, Odds
from pinproof.fuzz.stock import Stock

Sizes = Sequence[int]
"""Bytes by node."""

_Boundary = Callable[[Draws, Sizes, Sizes], int]
"""From what is free and what is allocatable, by node, to a size."""

_SMALL = (64 * MIB, 128 * MIB, 256 * MIB, 512 * MIB, GIB)


def _two(draws: Draws, sizes: Sizes) -> int:
    """What two nodes have together; where there is only one, what it has."""
    first = draws.integer(0, len(sizes) - 1)
    second = (first + draws.integer(1, max(1, len(sizes) - 1))) % len(sizes)
    return sizes[first] + (sizes[second] if second != first else 0)


_BOUNDARIES: Odds[_Boundary] = Odds(
    (lambda draws, free, most: draws.pick(_SMALL), 22),
    (lambda draws, free, most: draws.pick(most) // draws.pick((2, 3, 4)), 18),
    (lambda draws, free, most: draws.pick(free), 20),
    (lambda draws, free, most: draws.pick(most), 9),
    (lambda draws, free, most: _two(draws, free), 13),
    (lambda draws, free, most: _two(draws, most), 5),
    (lambda draws, free, most: sum(free), 3),
    (lambda draws, free, most: sum(most), 1),
    (lambda draws, free, most: sum(free) - draws.pick(free), 3),
    (lambda draws, free, most: max(free) // draws.pick((2, 3)), 6),
)
_OFF: Odds[int] = Odds((0, 62), (1, 22), (-1, 16))
"""Units above or below the boundary."""

_UNITS = Odds((4 * KIB, 80), (1, 12), (MIB, 8))


def memory_near(draws: Draws, stock: Stock) -> int:
    """Bytes of memory."""
    return _near(draws, stock, "memory", draws.weigh(_UNITS))


def pages_near(draws: Draws, stock: Stock, kind: str, page: int) -> int:
    """Bytes of huge pages, a whole number of pages."""
    return _near(draws, stock, kind, page) // page * page


def _near(draws: Draws, stock: Stock, kind: str, unit: int) -> int:
    size = draws.weigh(_BOUNDARIES)(draws, stock.free[kind], stock.allocatable[kind])
    return max(0, size + unit * draws.weigh(_OFF))

"""What Go's map order leaves open: everything that parts come to when they are carried out in any order.

>>> from pinproof.reference.books import default_books
>>> one = default_books([(0, {"memory": (4, 0)}), (1, {"memory": (4, 0)})])
>>> take = [lambda books, m=mask: {books.take(m, "memory", 5): 1.0} for mask in (0b01, 0b11)]
>>> [(books.free("memory"), chance) for books, chance in in_any_order(one, take).items()]
[([0, 0], 0.5), ([0, 3], 0.5)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pinproof.errors import InputError, Problem
from pinproof.reference.books import Books
from pinproof.reference.masks import Mask

A_MAP_ENTRY = 1 / 8
"""Go begins a walk through a small map at one of eight places, so an entry is met first at least so often."""

MAX_WAYS = 20_000
"""Ways on which orders are followed; ten pods whose masks overlap have some thousands."""

Part = Callable[[Books], "dict[Books, float]"]
"""From the books before it to the books after it, with the part of its own orders that come to them."""


def order_is_free(masks: Iterable[Mask]) -> bool:
    """Whether all masks are equal or apart, so that neither sums over groups nor cells depend on the order."""
    different = set(masks)
    return all(a == b or not a & b for a in different for b in different)


def in_any_order(books: Books, parts: Sequence[Part]) -> dict[Books, float]:
    """Everything that these parts come to. What is left to do and the books so far decide the rest, so orders meet again.

    Raises:
        InputError: there are more than `MAX_WAYS` ways.
    """
    ways = {(frozenset(range(len(parts))), books): 1.0}
    followed = 0
    for _ in parts:
        longer: dict[tuple[frozenset[int], Books], float] = {}
        for (left, now), chance in ways.items():
            for part in left:
                for after, share in parts[part](now).items():
                    way = (left - {part}, after)
                    longer[way] = longer.get(way, 0.0) + chance * share / len(left)
        ways = longer
        followed += len(ways)
        if followed > MAX_WAYS:
            raise InputError(
                "the assignments", Problem("", f"they can be replayed or released in over {MAX_WAYS} ways")
            )
    return {after: chance for (_, after), chance in ways.items()}

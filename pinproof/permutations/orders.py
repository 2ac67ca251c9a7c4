"""Orders in which pods come back: all of them for few pods, a covering sample for more.

The sample covers every three pods: whichever three are taken, they come in each of their six relative orders in some order of
the sample. What goes wrong because of the relative order of up to three pods is therefore met.

>>> len(orders("abcd")), len(orders("abcdefgh")) < 20
(24, True)
>>> orders(())
((),)
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, permutations

ALL_UP_TO = 4
"""Pods of which every order is taken: 24 of four, 120 of five."""

STRENGTH = 3
"""Pods whose relative orders the sample covers."""

CANDIDATES = 30
"""Orders among which the next of the sample is chosen."""

Order = tuple[str, ...]


def orders(pods: Sequence[str]) -> tuple[Order, ...]:
    """The orders, that of `pods` first; the same for the same pods, always."""
    if len(pods) <= ALL_UP_TO:
        return tuple(permutations(pods))
    return _sample(tuple(pods))


def _sample(pods: Order) -> tuple[Order, ...]:
    """Take the best of a few drawn orders, and its reverse, until every three pods were seen in every order."""
    # Drawn with a fixed seed: what is wanted is variety, not surprise.
    draw = random.Random(0)  # noqa: S311  # nothing secret
    wanted = set(permutations(pods, STRENGTH))
    taken: list[Order] = []
    best = pods
    while wanted:
        for order in (best, best[::-1]):
            met = _met(order) & wanted
            if met:
                taken.append(order)
                wanted -= met
        drawn = [tuple(draw.sample(pods, len(pods))) for _ in range(CANDIDATES)]
        best = max(drawn, key=lambda order: len(_met(order) & wanted))
    return tuple(taken)


def _met(order: Order) -> set[Order]:
    """Every three pods in their relative order here."""
    return set(combinations(order, STRENGTH))

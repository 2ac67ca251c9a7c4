"""Sets of NUMA nodes as integers: bit i stands for the i-th node of the machine, ascending by id.

Positions instead of ids keep the masks dense where ids have gaps; since positions ascend with the ids, "numerically
smaller" means the same for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pinproof.errors import InputError, Problem

Mask = int


class Hint(NamedTuple):
    """A provider's proposal, or the merged answer: where to put a container."""

    mask: Mask | None
    """The nodes; None means "no preference"."""

    preferred: bool


@lru_cache(maxsize=4096)
def positions(mask: Mask) -> tuple[int, ...]:
    """The nodes of a mask, ascending."""
    return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)


MAX_NODES = 20
"""Every set of nodes is looked at, a million of them here. With 34 nodes the kubelet itself never ends (#135541)."""


@lru_cache(maxsize=32)
def by_size(nodes: int) -> tuple[Mask, ...]:
    """All non-empty masks of so many nodes, smallest first; InputError for more than `MAX_NODES` nodes."""
    if nodes > MAX_NODES:
        raise InputError(
            f"a machine with {nodes} NUMA nodes",
            Problem(
                "",
                f"no pod that asks for hints can be predicted on more than {MAX_NODES} nodes; the kubelet tries 2^n masks",
            ),
        )
    return tuple(sorted(range(1, 1 << nodes), key=lambda mask: (mask.bit_count(), mask)))


def sums(values: Sequence[int]) -> list[int]:
    """For every mask the sum of its nodes' values; index 0 is the empty mask.

    Each mask is a smaller mask and its highest node, so every sum is one addition: 2^n of them instead of n * 2^n.
    """
    totals = [0]
    for value in values:
        totals += [total + value for total in totals]
    return totals


def narrower(a: Mask, b: Mask) -> bool:
    """Whether `a` has fewer nodes than `b`; between equals the numerically smaller mask counts as narrower."""
    return (a.bit_count(), a) < (b.bit_count(), b)

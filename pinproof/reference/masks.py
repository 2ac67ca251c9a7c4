"""Sets of NUMA nodes as integers, and sets of such sets as integers too.

A *mask* is a set of nodes: bit i stands for the i-th node of the machine, ascending by id. Positions instead of ids keep the
masks dense where ids have gaps; since positions ascend with the ids, "numerically smaller" means the same for both.

*Masks* are a set of masks: bit m stands for mask m. "Every mask that fits and keeps the groups" is then one `&`, whether the
machine has two nodes and three masks or sixteen nodes and 65,535.

>>> each = enough((4, 4, 2), 6)
>>> [bin(mask) for mask in members(each)]
['0b11', '0b101', '0b110', '0b111']
>>> members(each & inside(0b101))
(5,)
"""

from __future__ import annotations

from functools import lru_cache

from pinproof.errors import InputError, Problem

Mask = int
"""A set of nodes."""

Masks = int
"""A set of sets of nodes. Bit 0, the empty mask, is never set in what others see: no pod can be put nowhere."""


@lru_cache(maxsize=4096)
def positions(mask: Mask) -> tuple[int, ...]:
    """The nodes of a mask, ascending."""
    return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)


MAX_NODES = 20
"""Every set of nodes is looked at, a million of them here. With 34 nodes the kubelet itself never ends (#135541)."""


@lru_cache(maxsize=32)
def every(nodes: int) -> Masks:
    """All non-empty masks of so many nodes; InputError for more than `MAX_NODES` nodes."""
    if nodes > MAX_NODES:
        raise InputError(
            f"a machine with {nodes} NUMA nodes",
            Problem(
                "",
                f"no pod that asks for hints can be predicted on more than {MAX_NODES} nodes; the kubelet tries 2^n masks",
            ),
        )
    return (1 << (1 << nodes)) - 2


@lru_cache(maxsize=512)
def of_size(nodes: int, size: int) -> Masks:
    """The masks with `size` of so many nodes: those without the last node, and those with it."""
    if size == 0:
        return 1
    if size > nodes:
        return 0
    return of_size(nodes - 1, size) | of_size(nodes - 1, size - 1) << (1 << nodes - 1)


@lru_cache(maxsize=512)
def inside(mask: Mask) -> Masks:
    """The non-empty masks whose nodes are all in a mask."""
    return _subsets(mask) & ~1


@lru_cache(maxsize=512)
def around(mask: Mask, nodes: int) -> Masks:
    """The masks that contain a mask: itself, together with any of the other nodes."""
    return _subsets((1 << nodes) - 1 & ~mask) << mask & ~1


def _subsets(mask: Mask) -> Masks:
    found = 1
    for node in positions(mask):
        found |= found << (1 << node)
    return found


UINT64 = 1 << 64
"""The kubelet's arithmetic wraps around at this; an over-reserved node gets an enormous allocatable (2.2)."""


def enough(values: tuple[int, ...], size: int) -> Masks:
    """The non-empty masks whose nodes have values that add up to at least `size`, counted as the kubelet does."""
    if sum(values) < UINT64:
        return _enough(values, size) & ~1
    return sum(1 << m for m in range(1, 1 << len(values)) if sum(values[i] for i in positions(m)) % UINT64 >= size)


@lru_cache(maxsize=4096)
def _enough(values: tuple[int, ...], size: int) -> Masks:
    """Decided node by node from the last; what is enough or can never be is not looked at further."""
    if size <= 0:
        return (1 << (1 << len(values))) - 1
    if sum(values) < size:
        return 0
    rest, last = values[:-1], values[-1]
    return _enough(rest, size) | _enough(rest, size - last) << (1 << len(rest))


@lru_cache(maxsize=1 << 15)
def common(a: Masks, b: Masks, nodes: int) -> Masks:
    """Every mask that is x & y for some x of `a` and y of `b`, the empty one included.

    Decided node by node from the last: it is common where both have it, and not where one or both have it not. The kubelet
    tries every pair, so where `a` and `b` have thousands of masks it does not come to an end in time.
    """
    if not (a and b and nodes):
        return int(bool(a and b))
    half = 1 << nodes - 1
    below = (1 << half) - 1
    a_without, a_with, b_without, b_with = a & below, a >> half, b & below, b >> half
    one_has_it_not = common(a_without, b_without | b_with, nodes - 1) | common(a_with, b_without, nodes - 1)
    return common(a_with, b_with, nodes - 1) << half | one_has_it_not


def least_size(masks: Masks, nodes: int) -> int | None:
    """The number of nodes of the smallest mask; None of no masks."""
    for size in range(1, nodes + 1):
        if masks & of_size(nodes, size):
            return size
    return None


def narrowest(masks: Masks, nodes: int) -> Mask:
    """The mask with the fewest nodes, of several the numerically smallest; ValueError of no masks."""
    for size in range(1, nodes + 1):
        if some := masks & of_size(nodes, size):
            return smallest(some)
    raise ValueError("there are no masks")


def smallest(masks: Masks) -> Mask:
    """The numerically smallest mask."""
    return (masks & -masks).bit_length() - 1


def members(masks: Masks) -> tuple[Mask, ...]:
    """The masks one by one, those with fewer nodes first, then the numerically smaller."""
    listed = [m for m, bit in enumerate(reversed(f"{masks:b}")) if bit == "1"]
    return tuple(sorted(listed, key=lambda mask: (mask.bit_count(), mask)))

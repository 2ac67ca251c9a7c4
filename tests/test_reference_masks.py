"""Sets of masks against the plainest way to list them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinproof.errors import InputError
from pinproof.reference.masks import (
    MAX_NODES,
    UINT64,
    around,
    common,
    enough,
    every,
    inside,
    least_size,
    members,
    narrowest,
    of_size,
    positions,
)

NODES = 4
masks = st.integers(0, (1 << NODES) - 1)
families = st.sets(st.integers(1, (1 << NODES) - 1))


def listed(family: set[int]) -> int:
    """A set of masks as an integer."""
    return sum(1 << mask for mask in family)


def test_every_mask_of_three_nodes() -> None:
    """Those with fewer nodes first."""
    assert (0b001, 0b010, 0b100, 0b011, 0b101, 0b110, 0b111) == members(every(3))


def test_masks_by_size() -> None:
    """Two of three nodes; none of more nodes than there are."""
    assert (0b011, 0b101, 0b110) == members(of_size(3, 2))
    assert () == members(of_size(3, 4))


@given(masks)
def test_inside_and_around(mask: int) -> None:
    """Sub- and supersets, the empty mask excepted."""
    assert {m for m in range(1, 16) if m & ~mask == 0} == set(members(inside(mask)))
    assert {m for m in range(1, 16) if m & mask == mask} == set(members(around(mask, NODES)))


@given(st.lists(st.integers(0, 9) | st.just(UINT64 - 3), min_size=NODES, max_size=NODES), st.integers(0, 40))
def test_enough_is_the_sum_over_the_nodes(values: list[int], size: int) -> None:
    """Sums are the kubelet's, which wrap around."""
    expected = {m for m in range(1, 16) if sum(values[i] for i in positions(m)) % UINT64 >= size}

    assert expected == set(members(enough(tuple(values), size)))


@given(families, families)
def test_common_is_every_pair(a: set[int], b: set[int]) -> None:
    """The nodes that two masks share, for each pair of them; pairs that share none give the empty mask."""
    assert listed({x & y for x, y in product(a, b)}) == common(listed(a), listed(b), NODES)


@given(families.filter(bool))
def test_narrowest_has_the_fewest_nodes(family: set[int]) -> None:
    """Of several the numerically smallest."""
    first = min(family, key=lambda mask: (mask.bit_count(), mask))

    assert first == narrowest(listed(family), NODES)
    assert first.bit_count() == least_size(listed(family), NODES)


def test_no_masks_have_no_narrowest() -> None:
    """Nor a least size."""
    assert least_size(0, NODES) is None
    with pytest.raises(ValueError, match="no masks"):
        narrowest(0, NODES)


def test_more_nodes_than_can_be_predicted() -> None:
    """The kubelet itself does not end with some more."""
    with pytest.raises(InputError, match="21 NUMA nodes"):
        every(MAX_NODES + 1)


def test_sixteen_nodes_are_affordable() -> None:
    """Equal nodes, of which half are needed: 39,203 of 65,535 masks, and what pairs of them have in common."""
    half = enough((1,) * 16, 8)

    assert (39_203, 8) == (half.bit_count(), least_size(half, 16))
    assert (1 << 65_536) - 1 == common(half, half, 16)

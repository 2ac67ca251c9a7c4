"""The Topology Manager's merge against behaviour.md 5.2 to 5.5 and 5.8, and against a naive cross product."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinproof.reference.hints import NOTHING_FITS, Hint, Proposals, proposals
from pinproof.reference.merge_in_order import merge_in_order
from pinproof.reference.outcomes import KubeletPanics
from pinproof.reference.topology_manager import Merger


def hints(*each: tuple[int | None, bool]) -> Proposals:
    """Hints of (mask, preferred)."""
    return proposals(Hint(*hint) for hint in each)


CPU = {"cpu": hints((0b01, True), (0b10, True), (0b11, False))}

BY_EXAMPLE = [
    ("both nodes free", {"memory": hints((1, True), (2, True), (3, False))}, Hint(1, True), Hint(1, True)),
    ("node 0 full", {"memory": hints((2, True))}, Hint(2, True), Hint(2, True)),
    ("a group is alive", {"memory": hints((3, False))}, Hint(3, False), Hint(None, False)),
    ("needs both", {"memory": hints((3, True))}, Hint(3, False), Hint(None, False)),
    ("nothing fits: no preference", {}, Hint(1, True), Hint(1, True)),
    ("impossible", {"memory": NOTHING_FITS}, Hint(1, False), Hint(None, False)),
]


@pytest.mark.parametrize(("memory", "merged", "single"), [r[1:] for r in BY_EXAMPLE], ids=[r[0] for r in BY_EXAMPLE])
def test_merge_by_example(memory: dict[str, Proposals], merged: Hint, single: Hint) -> None:
    """The table of 5.8: two nodes, a container of 2 CPUs; best-effort and restricted merge alike."""
    assert merged == Merger("restricted", all_nodes=3).merge([CPU, memory])
    assert merged == Merger("best-effort", all_nodes=3).merge([CPU, memory])
    assert single == Merger("single-numa-node", all_nodes=3).merge([CPU, memory])


@pytest.mark.parametrize(
    ("policy", "preferred", "other"),
    [("best-effort", True, True), ("restricted", True, False), ("single-numa-node", True, False)],
)
def test_who_is_admitted(policy: str, preferred: bool, other: bool) -> None:
    """5.5: best-effort takes anything, the others a preferred hint only."""
    merger = Merger(policy, all_nodes=3)

    assert (preferred, other) == (merger.admits(Hint(1, True)), merger.admits(Hint(1, False)))


def test_no_preference_from_anybody_is_all_nodes_preferred() -> None:
    """Only single-numa-node says "any" instead."""
    assert Hint(3, True) == Merger("restricted", all_nodes=3).merge([{}, {}])
    assert Hint(None, True) == Merger("single-numa-node", all_nodes=3).merge([{}, {}])


def test_one_node_machine_has_no_mask_under_single_numa_node() -> None:
    """The only node is all nodes, so the answer is nil, never {0}."""
    assert Hint(None, True) == Merger("single-numa-node", all_nodes=1).merge([{"memory": hints((1, True))}])


def test_masks_that_differ_are_not_preferred() -> None:
    """Since 1.24 (#108052), although every hint is."""
    answers = [{"a": hints((0b011, True))}, {"b": hints((0b110, True))}]

    assert Hint(0b010, False) == Merger("restricted", all_nodes=7).merge(answers)


def test_not_preferred_hints_are_chosen_by_size() -> None:
    """The winner is closest to the largest of the providers' narrowest masks (#108154), here two nodes."""
    answers = [{"a": hints((0b0011, False), (0b0001, False))}, {"b": hints((0b0011, False), (0b1111, False))}]

    assert Hint(0b0011, False) == Merger("best-effort", all_nodes=15).merge(answers)


DISTANCES = ((10, 30, 20), (30, 10, 20), (20, 20, 10))
PAIRS = {"memory": hints((0b011, True), (0b101, True), (0b110, True))}


@pytest.mark.parametrize(
    ("policy", "closest", "mask"),
    [("best-effort", False, 0b011), ("best-effort", True, 0b101), ("restricted", True, 0b101)],
)
def test_closest_nodes_are_preferred_on_request(policy: str, closest: bool, mask: int) -> None:
    """With the option the pair that is closer together, of equal ones the numerically smaller."""
    merger = Merger(policy, all_nodes=7, ids=(0, 1, 2), distances=DISTANCES, prefer_closest=closest)

    assert Hint(mask, True) == merger.merge([PAIRS])


# --- against the plainest way to write it

lists = st.lists(
    st.lists(st.builds(Hint, st.none() | st.integers(1, 7), st.booleans()), max_size=4).map(tuple), max_size=3
)
policies = st.sampled_from(["best-effort", "restricted", "single-numa-node"])


def naive(policy: str, answers: Sequence[tuple[Hint, ...]], everything: int) -> Hint:
    """Every combination, one after the other, as 5.2 to 5.5 have it."""
    given_ = [each or (Hint(None, False),) for each in answers] or [(Hint(None, True),)]
    if policy == "single-numa-node":
        given_ = [tuple(h for h in each if h.preferred and (not h.mask or h.mask.bit_count() == 1)) for each in given_]
    sizes = [[h.mask.bit_count() for h in each if h.mask is not None] for each in given_]
    n = max((min(some) for some in sizes if some), default=0)
    best: Hint | None = None
    for combination in itertools.product(*given_):
        masks = [hint.mask for hint in combination if hint.mask is not None]
        common = everything
        for mask in masks:
            common &= mask
        if common:
            hint = Hint(common, all(h.preferred for h in combination) and len(set(masks)) < 2)
            best = hint if best is None else _better(best, hint, n)
    best = best or Hint(everything, False)
    return Hint(None, best.preferred) if policy == "single-numa-node" and best.mask == everything else best


def _better(current: Hint, candidate: Hint, n: int) -> Hint:
    if current.preferred != candidate.preferred:
        return current if current.preferred else candidate
    assert current.mask is not None
    assert candidate.mask is not None
    c, d = current.mask.bit_count(), candidate.mask.bit_count()
    fit = min(current, candidate, key=lambda hint: (hint.mask or 0).bit_count() * 8 + (hint.mask or 0))
    if current.preferred or c > n or (c == n and d == n):
        return fit
    if c == n or d > n:
        return current
    if d == n or d > c:
        return candidate
    return current if d < c else fit


@given(policies, lists)
def test_merge_is_the_naive_cross_product(policy: str, answers: list[tuple[Hint, ...]]) -> None:
    """Looking the winner up in sets of masks gives what going through all combinations gives."""
    merged = Merger(policy, all_nodes=7).merge([{f"r{n}": proposals(each)} for n, each in enumerate(answers)])

    assert naive(policy, answers, 7) == merged


@given(policies, lists, st.randoms(use_true_random=False), st.booleans())
def test_merge_does_not_depend_on_order(
    policy: str, answers: list[tuple[Hint, ...]], random: Random, near: bool
) -> None:
    """Neither on the order of the hints in a list nor on that of the lists: Go's random map order is harmless (5.4)."""
    merger = Merger(policy, all_nodes=7, ids=(0, 1, 2), distances=DISTANCES, prefer_closest=near)
    mixed = [tuple(sorted(each, key=lambda _: random.random())) for each in answers]
    mixed.sort(key=lambda _: random.random())

    first = merger.merge([{f"r{n}": proposals(each)} for n, each in enumerate(answers)])
    assert first == merger.merge([{f"r{n}": proposals(each)} for n, each in enumerate(mixed)])


@given(st.sampled_from(["best-effort", "restricted"]), lists)
def test_going_through_all_combinations_gives_the_same(policy: str, answers: list[tuple[Hint, ...]]) -> None:
    """Where distances cannot crash it, the merge step by step is the one that looks the winner up."""
    offered = [proposals(each) for each in answers]
    given_ = [each if each.masks or each.anywhere is not None else Proposals(anywhere=False) for each in offered]
    looked_up = Merger(policy, all_nodes=7).merge([{f"r{n}": each} for n, each in enumerate(offered)])

    assert looked_up == merge_in_order(given_, 7, min)


def test_one_comparison_on_the_way_crashes_the_kubelet() -> None:
    """Nodes 1 to 3: all three are what is merged in the end, but node 3 alone was compared before (docs/findings)."""
    merger = Merger("restricted", all_nodes=7, ids=(1, 2, 3), distances=DISTANCES, prefer_closest=True)
    single = hints((1, True), (2, True), (4, True), (7, False))

    with pytest.raises(KubeletPanics):
        merger.merge([{"cpu": single}, {"memory": hints((7, True))}])

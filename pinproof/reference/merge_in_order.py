"""The merge as the kubelet goes about it: one combination of hints after the other (behaviour.md 5.3, 5.4).

The winner does not depend on the order, which is why `topology_manager.py` looks it up. What is compared on the way does, and
with option `prefer-closest-numa-nodes` a comparison crashes the kubelet where node numbers have gaps, because distances are
looked up by number in a list that has a place for each node. So on such machines, and only there, every step counts.

Sets of one size are gone through in lexical order of their nodes, small sets first, as the CPU and the memory manager make
their hints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from pinproof.reference.hints import Hint, Proposals, hints_of
from pinproof.reference.masks import Mask, positions

Fit = Callable[[Mask, Mask], Mask]
"""Which of two different masks fits better; may crash."""


def merge_in_order(lists: Sequence[Proposals], all_nodes: Mask, fit: Fit) -> Hint:
    """The merged hint; whatever `fit` raises on the way is raised here."""
    each = [sorted(hints_of(offered), key=_made) for offered in lists]
    smallest = [min((_size(hint) for hint in some if hint.mask is not None), default=0) for some in each]
    best: Hint | None = None
    for combination in product(*each):
        candidate = _merged(combination, all_nodes)
        if candidate.mask:
            best = candidate if best is None else _better(best, candidate, max(smallest, default=0), fit)
    return best or Hint(all_nodes, preferred=False)


def _made(hint: Hint) -> tuple[int, tuple[int, ...]]:
    return _size(hint), tuple(positions(hint.mask or 0))


def _size(hint: Hint) -> int:
    return (hint.mask or 0).bit_count()


def _merged(combination: Sequence[Hint], all_nodes: Mask) -> Hint:
    common, masks = all_nodes, {hint.mask for hint in combination if hint.mask is not None}
    for mask in masks:
        common &= mask
    return Hint(common, all(hint.preferred for hint in combination) and len(masks) < 2)


def _better(current: Hint, candidate: Hint, largest_minimum: int, fit: Fit) -> Hint:
    """The better of two merged hints, compared as upstream compares them (#108154)."""
    if current.preferred != candidate.preferred:
        return current if current.preferred else candidate
    c, d = _size(current), _size(candidate)
    if current.preferred or c > largest_minimum or c == d:
        return _fitter(current, candidate, fit)
    if c == largest_minimum or d > largest_minimum:
        return current
    return candidate if d > c else current


def _fitter(current: Hint, candidate: Hint, fit: Fit) -> Hint:
    if current.mask == candidate.mask:
        return current
    if _size(current) != _size(candidate):
        return min(current, candidate, key=_size)
    return current if fit(current.mask or 0, candidate.mask or 0) == current.mask else candidate

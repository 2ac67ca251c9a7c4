"""The Topology Manager: from the hints of all providers to one mask, and whether that is good enough (behaviour.md 5).

Scope: merging and judging. Not here: who is asked when and what happens to the answer (`admission.py`).

Rules:

* Every combination of one hint from each list is merged: the nodes common to all; preferred only if every hint is and all
  masks are the same.
* Among the merged hints a preferred one wins, the narrowest first. Among non-preferred ones the winner is the one closest
  in size to N, the largest of the providers' smallest masks (#108154).
* `single-numa-node` keeps preferred single-node hints only, and says "any" instead of "all nodes".
* `best-effort` admits whatever was merged; `restricted` and `single-numa-node` admit a preferred answer only.

>>> either = (Hint(0b01, True), Hint(0b10, True), Hint(0b11, False))
>>> Merger("restricted", all_nodes=0b11).merge([{"cpu": either}, {"memory": (Hint(0b10, True),)}])
Hint(mask=2, preferred=True)
>>> Merger("restricted", all_nodes=0b11).merge([{"cpu": either}, {"memory": (Hint(0b11, True),)}])
Hint(mask=3, preferred=False)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pinproof.reference.masks import Hint, Mask, narrower, positions
from pinproof.reference.outcomes import KubeletPanics
from pinproof.reference.static_policy import Hints

Distances = Sequence[Sequence[int] | None]
"""For the node at each position its list of distances, as the kernel shows it."""


@dataclass(frozen=True, slots=True)
class Merger:
    """One policy on one machine."""

    policy: str
    """`best-effort`, `restricted` or `single-numa-node`; policy `none` never merges."""

    all_nodes: Mask
    """The mask of the whole machine."""

    ids: tuple[int, ...] = ()
    """The kernel's node numbers by position; needed for `closest` only."""

    distances: Distances = ()
    prefer_closest: bool = False
    """Option `prefer-closest-numa-nodes`; without effect for `single-numa-node`."""

    def merge(self, answers: Iterable[Hints]) -> Hint:
        """The one hint for all providers (5.2 to 5.5)."""
        lists = [proposals for answer in answers for proposals in self._lists(answer)]
        chosen = self._choose(lists)
        if self.policy == "single-numa-node" and chosen.mask == self.all_nodes:
            return Hint(None, chosen.preferred)
        return chosen

    def admits(self, hint: Hint) -> bool:
        """Whether the policy takes a pod with this merged hint."""
        return self.policy == "best-effort" or hint.preferred

    def _lists(self, answer: Hints) -> list[tuple[Hint, ...]]:
        """A provider's answer as lists: no key is one "no preference", no proposals is one "impossible" (5.2)."""
        lists = [proposals or (Hint(None, False),) for proposals in answer.values()] or [(Hint(None, True),)]
        if self.policy != "single-numa-node":
            return lists
        return [tuple(h for h in proposals if h.preferred and _width(h.mask) in (None, 1)) for proposals in lists]

    def _choose(self, lists: list[tuple[Hint, ...]]) -> Hint:
        """The best merged hint, or all nodes and not preferred where nothing is common to all (5.4)."""
        smallest = [min(widths) for proposals in lists if (widths := [w for h in proposals if (w := _width(h.mask))])]
        largest_minimum = max(smallest, default=0)
        best: Hint | None = None
        for candidate in _combinations(lists, self.all_nodes):
            if candidate.mask and (best is None or self._better(best, candidate, largest_minimum)):
                best = candidate
        return best or Hint(self.all_nodes, False)

    def _better(self, current: Hint, candidate: Hint, n: int) -> bool:
        """Whether the candidate replaces the current best (5.4)."""
        assert current.mask is not None and candidate.mask is not None  # noqa: S101, PT018  # merged hints have masks
        if current.preferred != candidate.preferred:
            return candidate.preferred
        ours, theirs = current.mask.bit_count(), candidate.mask.bit_count()
        if current.preferred or ours > n or ours == theirs:
            return self._fits_better(current.mask, candidate.mask)
        if ours == n or theirs > n:
            return False
        return theirs > ours

    def _fits_better(self, current: Mask, candidate: Mask) -> bool:
        """Whether the candidate is narrower, or, with the option, of the same size and closer together."""
        same_size = current.bit_count() == candidate.bit_count()
        if not same_size or not self.prefer_closest or self.policy == "single-numa-node":
            return narrower(candidate, current)
        ours, theirs = self._average_distance(current), self._average_distance(candidate)
        return theirs < ours or (theirs == ours and narrower(candidate, current))

    def _average_distance(self, mask: Mask) -> float:
        """Over all ordered pairs, a node and itself included; the list is indexed by node number, also where ids have gaps."""
        nodes = positions(mask)
        total = 0
        for a in nodes:
            row = self.distances[a] or ()
            for b in nodes:
                if self.ids[b] >= len(row):
                    raise KubeletPanics("index out of range")
                total += row[self.ids[b]]
        return total / len(nodes) ** 2


def _width(mask: Mask | None) -> int | None:
    return None if mask is None else mask.bit_count()


def _combinations(lists: list[tuple[Hint, ...]], all_nodes: Mask) -> Iterable[Hint]:
    """The merged hints of all combinations of one hint from each list, each of them once (5.3).

    The number of combinations is the product of the lists' lengths, that of *different* intermediate results is small: they
    are carried from list to list as (common nodes, the one mask all had so far or None, whether all were preferred).
    """
    partial: set[tuple[Mask, Mask | None, bool]] = {(all_nodes, None, True)}
    for proposals in lists:
        following = set()
        for common, same, preferred in partial:
            for mask, liked in proposals:
                if mask is None:
                    following.add((common, same, preferred and liked))
                    continue
                alike = same is None or same == mask
                following.add((common & mask, mask if same is None else same, preferred and liked and alike))
        partial = following
    return {Hint(common, preferred) for common, _, preferred in partial}

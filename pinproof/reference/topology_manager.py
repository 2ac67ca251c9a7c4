"""The Topology Manager: from the hints of all providers to one mask, and whether that is good enough (behaviour.md 5).

Scope: merging and judging. Not here: who is asked when and what happens to the answer (`admission.py`).

Rules:

* Every combination of one hint from each list is merged: the nodes common to all; preferred only if every hint is and all
  masks are the same.
* Among the merged hints a preferred one wins, the narrowest first. Among non-preferred ones the winner is the one closest
  in size to N, the largest of the providers' smallest masks (#108154).
* `single-numa-node` keeps preferred single-node hints only, and says "any" instead of "all nodes".
* `best-effort` admits whatever was merged; `restricted` and `single-numa-node` admit a preferred answer only.

The kubelet goes through the combinations one by one. The winner does not depend on their order, so here it is looked up: a
preferred one has a mask that every list prefers, and any other is one of the masks that the lists have in common.

>>> from pinproof.reference.hints import proposals
>>> either = proposals([Hint(0b01, True), Hint(0b10, True), Hint(0b11, False)])
>>> Merger("restricted", all_nodes=0b11).merge([{"cpu": either}, {"memory": proposals([Hint(0b10, True)])}])
Hint(mask=2, preferred=True)
>>> Merger("restricted", all_nodes=0b11).merge([{"cpu": either}, {"memory": proposals([Hint(0b11, True)])}])
Hint(mask=3, preferred=False)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pinproof.reference.decisions import Reach, ignore
from pinproof.reference.hints import INDIFFERENT, Hint, Hints, Proposals
from pinproof.reference.masks import (
    Mask,
    Masks,
    common,
    every,
    least_size,
    members,
    of_size,
    positions,
    smallest,
)
from pinproof.reference.merge_in_order import merge_in_order
from pinproof.reference.outcomes import KubeletPanics

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

    def merge(self, answers: Iterable[Hints], reach: Reach = ignore) -> Hint:
        """The one hint for all providers (5.2 to 5.5)."""
        lists = _lists(answers, reach)
        if self.policy == "single-numa-node":
            lists = self._single_nodes(lists, reach)
        chosen = self._step_by_step(lists) if self._may_crash else self._choose(lists, reach)
        if self.policy == "single-numa-node" and chosen.mask == self.all_nodes:
            reach("merge.all-nodes-is-any")
            return Hint(None, chosen.preferred)
        return chosen

    def admits(self, hint: Hint) -> bool:
        """Whether the policy takes a pod with this merged hint."""
        return self.policy == "best-effort" or hint.preferred

    @property
    def _may_crash(self) -> bool:
        """Whether a distance may be asked for that the kernel's lists have no place for."""
        if not self.prefer_closest or self.policy == "single-numa-node":
            return False
        return any(self.ids[-1] >= len(row or ()) for row in self.distances)

    def _step_by_step(self, lists: list[Proposals]) -> Hint:
        def closest(one: Mask, other: Mask) -> Mask:
            return min(one, other, key=lambda mask: (self._average_distance(mask), mask))

        return merge_in_order(lists, self.all_nodes, closest)

    @property
    def _nodes(self) -> int:
        return self.all_nodes.bit_length()

    def _single_nodes(self, lists: list[Proposals], reach: Reach) -> list[Proposals]:
        """What `single-numa-node` leaves of the lists (5.5)."""
        single = of_size(self._nodes, 1)
        kept = []
        for masks, preferred, anywhere in lists:
            left = Proposals(preferred & single, preferred & single, anywhere or None)
            if left.masks != masks:
                reach("merge.single-node-drops-hints")
            kept.append(left)
        return kept

    def _choose(self, lists: list[Proposals], reach: Reach) -> Hint:
        """The best merged hint, or all nodes and not preferred where nothing is common to all (5.4)."""
        if agreed := self._agreed(lists):
            size = least_size(agreed, self._nodes) or 0
            return Hint(self._fittest(agreed & of_size(self._nodes, size), reach), True)
        shared = self._shared(lists)
        largest_minimum = max((least_size(masks, self._nodes) or 0 for masks, _, _ in lists), default=0)
        for size in (*range(largest_minimum, 0, -1), *range(largest_minimum + 1, self._nodes + 1)):
            if some := shared & of_size(self._nodes, size):
                reach(f"merge.not-preferred.{_compared(size, largest_minimum)}")
                return Hint(self._fittest(some, reach), False)
        reach("merge.nothing-in-common")
        return Hint(self.all_nodes, False)

    def _agreed(self, lists: list[Proposals]) -> Masks:
        """The masks of preferred combinations: one mask and no other, wherever a list does not take any."""
        picky = [preferred for _, preferred, anywhere in lists if not anywhere]
        if not picky:
            return _union(preferred for _, preferred, _ in lists) | 1 << self.all_nodes
        agreed = picky[0]
        for preferred in picky[1:]:
            agreed &= preferred
        return agreed

    def _shared(self, lists: list[Proposals]) -> Masks:
        """The masks of all combinations."""
        shared = everything = 1 << self.all_nodes
        for masks, _, anywhere in lists:
            shared = common(shared, masks if anywhere is None else masks | everything, self._nodes)
        return shared & every(self._nodes)

    def _fittest(self, masks: Masks, reach: Reach) -> Mask:
        """Of masks of one size the numerically smallest, or, with the option, the one whose nodes are closest together."""
        lowest = smallest(masks)
        if masks == 1 << lowest:
            return lowest
        if not self.prefer_closest or self.policy == "single-numa-node":
            reach("merge.lowest-of-several")
            return lowest
        closest = min(members(masks), key=self._average_distance)
        reach("merge.lowest-is-closest" if closest == lowest else "merge.closest-of-several")
        return closest

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


def _lists(answers: Iterable[Hints], reach: Reach) -> list[Proposals]:
    """The answers as lists: no key is one "no preference", no proposals is one "impossible" (5.2)."""
    lists = []
    for answer in answers:
        if not answer:
            reach("merge.provider-without-preference")
            lists.append(INDIFFERENT)
        for offered in answer.values():
            if not offered.masks and offered.anywhere is None:
                reach("merge.impossible")
                offered = Proposals(anywhere=False)
            lists.append(offered)
    return lists


def _union(each: Iterable[Masks]) -> Masks:
    union = 0
    for masks in each:
        union |= masks
    return union


def _compared(size: int, other: int) -> str:
    return "of-that-size" if size == other else "smaller" if size < other else "larger"

"""A hint provider beside the CPU and memory managers, as a scenario states its answers: a device plugin (behaviour.md 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pinproof.reference.hints import INDIFFERENT, NO_PREFERENCE, Hint, Hints, proposals
from pinproof.reference.masks import Mask
from pinproof.scenario.pod import OtherHints


@lru_cache(maxsize=1024)
def answer_of(hints: OtherHints, ids: tuple[int, ...]) -> Hints:
    """The provider's answer, on a machine with these node numbers. No resource at all is a provider without preference."""
    if not hints:
        return NO_PREFERENCE
    position = {node: at for at, node in enumerate(ids)}
    return {
        resource: INDIFFERENT
        if given is None
        else proposals(Hint(_mask(nodes, position), liked) for nodes, liked in given)
        for resource, given in hints
    }


def _mask(nodes: tuple[int, ...] | None, position: Mapping[int, int]) -> Mask | None:
    return None if nodes is None else sum(1 << position[node] for node in nodes)

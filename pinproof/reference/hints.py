"""What hint providers propose to the Topology Manager (behaviour.md 5.1, 5.2).

>>> two = proposals([Hint(0b01, True), Hint(0b11, False)])
>>> describe({"memory": two}, (0, 1))
'memory: {0}! {0,1}'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from pinproof.history import Hint as SeenHint
from pinproof.history import hint_order
from pinproof.reference.masks import Mask, Masks, members, positions


class Hint(NamedTuple):
    """One proposal of a provider, or the merged answer: where to put a container."""

    mask: Mask | None
    """The nodes; None means "no preference"."""

    preferred: bool


class Proposals(NamedTuple):
    """All hints of a provider for one resource. None at all is "impossible"."""

    masks: Masks = 0
    """The masks of all hints, preferred or not."""

    preferred: Masks = 0
    """The masks of the preferred ones."""

    anywhere: bool | None = None
    """Whether there is a hint without a mask: None for no, else whether a preferred one."""


NOTHING_FITS = Proposals()
"""No hint at all."""

INDIFFERENT = Proposals(anywhere=True)
"""The one hint that stands for "no preference"."""


def proposals(hints: Iterable[Hint]) -> Proposals:
    """Hints taken together; order and repetition mean nothing."""
    masks = preferred = 0
    anywhere: bool | None = None
    for mask, liked in hints:
        if mask is None:
            anywhere = liked or bool(anywhere)
        else:
            masks |= 1 << mask
            preferred |= liked << mask
    return Proposals(masks, preferred, anywhere)


def hints_of(offered: Proposals) -> tuple[Hint, ...]:
    """The hints one by one, smallest mask first; the one without a mask at the end."""
    each = tuple(Hint(mask, bool(offered.preferred >> mask & 1)) for mask in members(offered.masks))
    return each if offered.anywhere is None else (*each, Hint(None, offered.anywhere))


Hints = Mapping[str, Proposals]
"""A provider's answer: resource → proposals. No key at all is "no preference", a key without proposals "impossible"."""

NO_PREFERENCE: Hints = {}


def seen(hint: Hint, ids: Sequence[int]) -> SeenHint:
    """A hint as a history has it. `ids` are node numbers by position."""
    mask, preferred = hint
    return None if mask is None else tuple([ids[i] for i in positions(mask)]), preferred


def seen_answer(answer: Hints, ids: Sequence[int]) -> dict[str, tuple[SeenHint, ...] | None]:
    """A provider's answer as a history has it."""
    show = _seen_often if len(ids) <= FEW_NODES else _seen
    return {
        resource: None if offered == INDIFFERENT else show(offered, tuple(ids))  # "any node, preferred" means the same
        for resource, offered in answer.items()
    }


FEW_NODES = 6
"""A machine with no more has so few sets of nodes that the same hints come again and again, and cost little memory."""


def _seen(offered: Proposals, ids: tuple[int, ...]) -> tuple[SeenHint, ...]:
    return tuple(sorted([seen(hint, ids) for hint in hints_of(offered)], key=hint_order))


_seen_often = lru_cache(maxsize=2048)(_seen)


DESCRIBED = 256
"""Hints of a resource that are told: all of them up to eight nodes. Sixteen have 65 535, which nobody reads."""


def describe(hints: Hints, ids: Sequence[int]) -> str:
    """A hint table for people: `memory: {0}! {1}! {0,1}`; `!` marks a preferred hint. `ids` are node numbers by position."""
    if not hints:
        return "no preference"
    return "; ".join(f"{resource}: {_described(offered, ids)}" for resource, offered in sorted(hints.items()))


def _described(offered: Proposals, ids: Sequence[int]) -> str:
    listed = hints_of(offered)
    words = [describe_hint(hint, ids) for hint in listed[:DESCRIBED]]
    words += [f"and {len(listed) - DESCRIBED} more"] if len(listed) > DESCRIBED else []
    return " ".join(words) or "impossible"


def describe_hint(hint: Hint, ids: Sequence[int]) -> str:
    """One hint for people: `{0,1}!`."""
    nodes = "any" if hint.mask is None else "{" + ",".join(str(ids[i]) for i in positions(hint.mask)) + "}"
    return nodes + ("!" if hint.preferred else "")

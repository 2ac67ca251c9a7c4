"""Subjects opened for looking at scenarios; in the process that looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from pinproof.layers import diffing, parting
from pinproof.layers.answers import Side
from pinproof.scenario.steps import Scenario
from pinproof.subjects.reference import ReferenceSubject
from pinproof.subjects.registry import open_subject


@contextmanager
def opened(specs: Sequence[str], slow: float | None = None) -> Iterator[list[Side]]:
    """Subjects with the models of their releases."""
    if not specs:
        yield []
        return
    with closing(open_subject(specs[0], slow=slow)) as subject, opened(specs[1:], slow) as others:
        yield [Side(subject), *others]


def on_reference(sides: Sequence[Side]) -> list[Side]:
    """Subjects from the inside out, the reference of their release first."""
    return [Side(ReferenceSubject(sides[0].minor)), *sides]


@contextmanager
def layers_seat(specs: Sequence[str], slow: float | None) -> Iterator[Callable[[Scenario], parting.Look]]:
    """Looks where layers part."""
    with opened(specs, slow) as sides:
        yield parting.Layers(on_reference(sides)).look


@contextmanager
def diff_seat(old: str, new: str, only: frozenset[str]) -> Iterator[Callable[[Scenario], diffing.Look]]:
    """Looks whether two subjects differ."""
    with opened((old, new)) as sides:
        yield diffing.Differ(sides[0], sides[1], only=only).look

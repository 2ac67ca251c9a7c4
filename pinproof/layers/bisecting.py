"""The first of an ordered list of subjects that does something else with a scenario than the first one does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Literal

from pinproof.errors import CaptureError, InputError, Problem
from pinproof.judge.compare import Difference
from pinproof.layers.answers import Answer, Side, contrast, modelled, with_series_of
from pinproof.layers.switches import Effect, effects
from pinproof.reference.behaviour import Behaviour
from pinproof.running.examine import examine
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Subject

By = Literal["history", "outcome"]
"""What is compared: all that both subjects show, or the judge's word on each."""

Open = Callable[[str], Subject]


@dataclass(frozen=True, slots=True)
class Look:
    """What was found out about one subject."""

    subject: str
    behaviour: Behaviour
    answer: Answer | None
    """By history."""

    observables: frozenset[str]
    outcome: str
    """By outcome: the judge's word; empty otherwise."""


@dataclass(slots=True)
class Bisection:
    """What was found out about a list of subjects."""

    subjects: tuple[str, ...]
    by: By
    looks: dict[int, Look] = field(default_factory=dict)
    """Position in the list → what was seen; subjects that the search passed over are not there."""

    differs: dict[int, bool] = field(default_factory=dict)
    """Position → whether it is other than the first of the list."""

    differences: tuple[Difference, ...] = ()
    """Of the first that differs, against the first of the list."""

    switches: tuple[Effect, ...] = ()
    """What explains them, where the models of the two neighbours differ in this."""

    @property
    def first(self) -> int | None:
        """Position of the first that differs, as far as was looked; None where none does."""
        return min((position for position, other in self.differs.items() if other), default=None)

    @property
    def monotonic(self) -> bool:
        """Whether all that come behind the first that differs, as far as was looked, differ too."""
        first = self.first
        return first is None or all(other for position, other in self.differs.items() if position > first)


class Bisector:
    """Looks at one subject after the other, and at none twice."""

    def __init__(self, scenario: Scenario, subjects: Sequence[str], *, by: By, open_: Open) -> None:
        self.result = Bisection(tuple(subjects), by)
        self._scenario = scenario
        self._open = open_

    def search(self, *, everything: bool = False) -> Bisection:
        """Find the first that differs; `everything` looks at all of them, in order, instead of halving the list.

        Raises:
            InputError: a subject cannot do what the scenario asks for.
            SubjectError: a subject cannot be built or started, or not everything was seen of it.
        """
        result, last = self.result, len(self.result.subjects) - 1
        if everything:
            for position in range(last + 1):
                self._differs(position)
        elif self._differs(last):
            self._halve(0, last)
        if result.first is not None:
            self._explain(result.first)
        return result

    def _halve(self, same: int, other: int) -> None:
        while other - same > 1:
            middle = (same + other) // 2
            if self._differs(middle):
                other = middle
            else:
                same = middle

    def _differs(self, position: int) -> bool:
        """Whether a subject does something else than the first of the list."""
        result = self.result
        for wanted in (0, position):
            if wanted not in result.looks:
                result.looks[wanted] = self._look(result.subjects[wanted])
        first, here = result.looks[0], result.looks[position]
        found = self._between(first, here) if result.by == "history" else ()
        result.differs[position] = bool(found) or first.outcome != here.outcome
        if result.differs[position] and result.first == position:
            result.differences = found
        return result.differs[position]

    def _look(self, spec: str) -> Look:
        with closing(self._open(spec)) as subject:
            side = Side(subject)
            lacking = side.lacks(self._scenario)
            if lacking:
                raise InputError(spec, Problem("", f"cannot do {', '.join(lacking)}, which the scenario asks for"))
            if self.result.by == "outcome":
                return Look(spec, side.behaviour, None, side.observables, self._judged(subject))
            answer = side.answer(self._scenario, side.predicted(self._scenario))
            if answer.trouble:
                raise _unseen(spec, answer.trouble)
            return Look(spec, side.behaviour, answer, side.observables, "")

    def _judged(self, subject: Subject) -> str:
        judgement = examine(subject, self._scenario).judgement
        if judgement.trouble:
            raise _unseen(subject.name, judgement.trouble)
        return judgement.outcome

    def _between(self, old: Look, new: Look) -> tuple[Difference, ...]:
        if old is new or old.answer is None or new.answer is None:
            return ()
        models = [modelled(self._scenario, look.behaviour) for look in (old, new)]
        answers = [with_series_of(answer, models) for answer in (old.answer, new.answer)]
        found = contrast(answers[0], answers[1], old.observables & new.observables)
        return () if found.chance else found.differences

    def _explain(self, first: int) -> None:
        """Which switches part the models of the first that differs and of the one before it, as far as that was looked at."""
        before, here = self.result.looks.get(first - 1), self.result.looks[first]
        if before is None or not (self._as_modelled(before) and self._as_modelled(here)):
            return
        shared = before.observables & here.observables
        self.result.switches = effects(
            before.behaviour,
            here.behaviour,
            cache(partial(modelled, self._scenario, hints="hints" in shared)),
            lambda old, new: contrast(old, new, shared).differences,
        )

    def _as_modelled(self, look: Look) -> bool:
        """Whether a subject did what the model of its release says; what a model does explains nothing otherwise."""
        if look.answer is None:
            return False
        hints = "hints" in look.observables
        return not contrast(modelled(self._scenario, look.behaviour, hints=hints), look.answer, look.observables)


def _unseen(spec: str, trouble: str) -> CaptureError:
    return CaptureError(
        "compare", f"{spec}: {trouble}", fault="the subject", remedy="run it again, perhaps with --slow 3"
    )

"""Which scenarios change their outcome between two subjects, grouped by the switch of `Behaviour` that explains it.

A difference is explained where both sides do what the models of their releases say, and the models part because of
switches. What no switch explains is a finding: one side does not do what its model says, or both do and differ
nonetheless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, partial

from pinproof.errors import InputError
from pinproof.judge.compare import Difference
from pinproof.layers.answers import Answer, Side, contrast, modelled, with_series_of
from pinproof.layers.looks import Agreed, Chance, Inapplicable, Incomplete
from pinproof.layers.sorts import size
from pinproof.layers.switches import Effect, Predict, effects
from pinproof.scenario.steps import Scenario


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A scenario whose difference no switch explains."""

    scenario: Scenario
    differences: tuple[Difference, ...]
    """Between the two sides."""

    reason: str
    """Which side leaves its model, and where first; or that both keep to theirs."""


@dataclass(frozen=True, slots=True)
class Differing:
    """A scenario that turns out differently."""

    scenario: Scenario
    effects: tuple[Effect, ...] = ()
    """What explains it."""

    unexplained: Unexplained | None = None
    """Where nothing does."""


Look = Agreed | Chance | Differing | Inapplicable | Incomplete


@dataclass(slots=True)
class Group:
    """The scenarios that one switch makes turn out differently."""

    switch: str
    count: int = 0
    alone: int = 0
    """Those that no other switch changes as well."""

    fields: Counter[str] = field(default_factory=Counter)
    """Field of an observation → scenarios in which the switch changes it."""

    smallest: Scenario | None = None
    effect: Effect | None = None
    """What the switch does to the smallest."""

    def add(self, scenario: Scenario, effect: Effect) -> None:
        """Count a scenario, and keep it if it shows the switch better than the one that is kept."""
        self.count += 1
        self.alone += not effect.others
        self.fields.update({found.path.partition(".")[0] for found in effect.differences})
        if (
            self.smallest is None
            or self.effect is None
            or _shown(scenario, effect) < _shown(self.smallest, self.effect)
        ):
            self.smallest, self.effect = scenario, effect


@dataclass(slots=True)
class Comparison:
    """What a comparison of two subjects came to."""

    old: str
    new: str
    scenarios: int = 0
    differing: int = 0
    groups: dict[str, Group] = field(default_factory=dict)
    unexplained: list[Unexplained] = field(default_factory=list)
    chance: int = 0
    """Scenarios whose outcome is open, and which neither subject tells wholly: their difference means nothing."""

    inapplicable: Counter[str] = field(default_factory=Counter)
    """Why scenarios could not be run → how many."""

    incomplete: list[tuple[Scenario, str]] = field(default_factory=list)
    """Scenarios of which not everything was seen, and why."""

    def add(self, look: Look) -> None:
        """Count what was seen of one more scenario."""
        self.scenarios += 1
        match look:
            case Differing(scenario, found, unexplained):
                self.differing += 1
                for effect in found:
                    self.groups.setdefault(effect.switch, Group(effect.switch)).add(scenario, effect)
                self.unexplained += [unexplained] if unexplained else []
            case Chance():
                self.chance += 1
            case Inapplicable(reason):
                self.inapplicable[reason] += 1
            case Incomplete(scenario, trouble):
                self.incomplete.append((scenario, trouble))


class Differ:
    """Runs scenarios on two sides."""

    def __init__(self, old: Side, new: Side, *, only: frozenset[str] = frozenset()) -> None:
        """Take both sides.

        Args:
            old: the side that is taken as the measure.
            new: the side that may differ from it.
            only: names of the fields of an observation to compare; empty for all that both sides can show.
        """
        self.old, self.new = old, new
        shared = old.observables & new.observables
        compared = shared & only if only else shared
        self._contrast = partial(contrast, observables=compared, appearing=True)
        self._modelled = partial(modelled, hints="hints" in compared)

    def look(self, scenario: Scenario) -> Look:
        """Run one scenario on both."""
        lacking = (*self.old.lacks(scenario), *self.new.lacks(scenario))
        if lacking:
            return Inapplicable(f"a subject cannot do {', '.join(dict.fromkeys(lacking))}")
        try:
            return self._run(scenario)
        except InputError as error:
            # Such as an edit of a text that only one release writes into its file.
            return Inapplicable(f"one side cannot be predicted: {error.problems[0]}")

    def _run(self, scenario: Scenario) -> Look:
        predict = cache(partial(self._modelled, scenario))
        models = (predict(self.old.behaviour), predict(self.new.behaviour))
        answers = (self.old.answer(scenario, models[0]), self.new.answer(scenario, models[1]))
        trouble = answers[0].trouble or answers[1].trouble
        if trouble:
            return Incomplete(scenario, trouble)
        old, new = (with_series_of(answer, models) for answer in answers)
        found = self._contrast(old, new)
        if found.chance:
            return Chance()
        if not found:
            return Agreed()
        reason = self._off_model(answers, models)
        switched = () if reason else self._effects(predict)
        if switched:
            return Differing(scenario, switched)
        reason = reason or "both do what the models of their releases say, and yet they differ"
        return Differing(scenario, unexplained=Unexplained(scenario, found.differences, reason))

    def _effects(self, predict: Predict) -> tuple[Effect, ...]:
        return effects(
            self.old.behaviour, self.new.behaviour, predict, lambda old, new: self._contrast(old, new).differences
        )

    def _off_model(self, answers: tuple[Answer, Answer], models: tuple[Answer, Answer]) -> str:
        """Which side does not do what its model says; empty where both do."""
        for side, answer, model in zip((self.old, self.new), answers, models, strict=True):
            found = contrast(model, answer, side.observables)
            if found and not found.chance:
                first = found.differences[0]
                return f"{side.name} does not do what {model.subject} says, first at step {first.step}: {first.path}"
        return ""


def compare(old: Side, new: Side, scenarios: Iterable[Scenario], *, only: frozenset[str] = frozenset()) -> Comparison:
    """Run all scenarios on both sides; the arguments are those of `Differ`."""
    differ, result = Differ(old, new, only=only), Comparison(old.name, new.name)
    for scenario in scenarios:
        result.add(differ.look(scenario))
    return result


def _shown(scenario: Scenario, effect: Effect) -> tuple[int, ...]:
    """Sorts first what shows one switch alone, then what is small."""
    return len(effect.others), *size(scenario)

"""What a subject may do with a scenario, and how the answers of two subjects differ.

Where Kubernetes leaves the outcome open, one run of a kubelet shows one of several. The reference tells all of them and
the component subject repeats until it has seen all of them, so both answer with a whole set; a kubelet answers with what
happened this time. The rules:

* Every history of one side is a history of the other, as far as that other side's set is whole.
* Where neither set is whole, a difference may be chance: `Contrast.chance`.
* Fields are compared as the judge compares them with a model (`judge/compare.py`), with the older side as the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pinproof.errors import SubjectError
from pinproof.history import History, Prediction
from pinproof.judge.compare import ABSENT, Difference, closest
from pinproof.judge.outcomes import repeats
from pinproof.reference.behaviour import Behaviour, behaviour_of
from pinproof.reference.model import predict
from pinproof.running.examine import Repeats, abilities
from pinproof.running.releases import minor_of
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Capabilities, Subject
from pinproof.subjects.reference import ReferenceSubject

MOST_RUNS = 1000
"""Runs of a scenario whose outcome is open; where it takes more to see every outcome, the set is not whole."""

IN_A_ROW = 3
"""Scenarios that a subject may fail to carry out one after the other before it is given up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one subject did with one scenario."""

    subject: str
    histories: tuple[History, ...]
    """Distinct ones; at least one."""

    whole: bool
    """Whether these are all that the subject may do."""

    repeat: int = 1
    """Of a model's answer: how many runs it takes to see all of them."""

    @property
    def trouble(self) -> str:
        """Why there is nothing to compare; empty when there is."""
        return next(
            (history.trouble or "the capture ended early" for history in self.histories if not history.complete), ""
        )


@dataclass(frozen=True, slots=True)
class Contrast:
    """How two answers differ."""

    differences: tuple[Difference, ...]
    """Of the first history that the other side does not have, against the closest that it has; `expected` is the left
    side's."""

    chance: bool = False
    """The outcome is open and neither side tells all of it, so the difference may mean nothing."""

    def __bool__(self) -> bool:
        return bool(self.differences)


SAME = Contrast(())


class Side:
    """A subject together with the model of its release."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.behaviour: Behaviour = behaviour_of(subject.version)
        self._failures = 0

    @property
    def name(self) -> str:
        """As the user wrote it."""
        return self.subject.name

    @property
    def minor(self) -> str:
        """Such as `1.36`."""
        return minor_of(self.subject.version)

    @property
    def observables(self) -> frozenset[str]:
        """What it can show."""
        return self.subject.capabilities.observables

    def lacks(self, scenario: Scenario) -> tuple[str, ...]:
        """What the scenario asks for and the subject cannot do."""
        return tuple(sorted(abilities(scenario) - self.subject.capabilities.steps))

    def predicted(self, scenario: Scenario) -> Answer:
        """What the model of the release allows."""
        return modelled(scenario, self.behaviour, hints="hints" in self.observables)

    def answer(self, scenario: Scenario, prediction: Answer) -> Answer:
        """What the subject does; the prediction, which is that of its own model, tells how often it has to be asked.

        Raises:
            SubjectError: the subject failed `IN_A_ROW` times running; once in a while is an incomplete answer.
        """
        if type(self.subject) is ReferenceSubject:  # and no wrong model, which is a subclass
            return prediction
        try:
            answer = self._ask(scenario, prediction.repeat)
        except SubjectError as error:
            self._failures += 1
            if self._failures == IN_A_ROW:
                raise
            return Answer(self.name, (History(self.name, (), complete=False, trouble=str(error)),), whole=False)
        self._failures = 0
        return answer

    def _ask(self, scenario: Scenario, repeat: int) -> Answer:
        if repeat > 1 and isinstance(self.subject, Repeats):
            seen = self.subject.outcomes(scenario, repeat=min(MOST_RUNS, repeat))
            return Answer(self.name, seen, whole=repeat <= MOST_RUNS)
        return Answer(self.name, (self.subject.run(scenario),), whole=repeat == 1)


def modelled(scenario: Scenario, behaviour: Behaviour, *, hints: bool = False) -> Answer:
    """What a model allows, notes and file texts left out; InputError for a scenario that it does not predict."""
    prediction = predict(scenario, behaviour, texts=False, hints=hints)
    name = f"reference:{behaviour.minor}"
    return Answer(name, prediction.histories, whole=True, repeat=repeats(prediction))


def contrast(left: Answer, right: Answer, observables: frozenset[str], *, appearing: bool = False) -> Contrast:
    """How `right` differs from `left` in what both can show.

    Args:
        left: the model, or the older side.
        right: the other side.
        observables: names of the fields of an observation that are compared.
        appearing: a counter that only the right side has is a difference too; `with_series_of` both sides first.
    """
    compare = _Comparison(Capabilities(observables, frozenset()), appearing and "counters" in observables)
    found = next((differences for differences in compare.foreign(left, right) if differences), ())
    return Contrast(found, chance=not (left.whole or right.whole)) if found else SAME


@dataclass(frozen=True, slots=True)
class _Comparison:
    """How histories are compared."""

    capabilities: Capabilities
    appearing: bool

    def foreign(self, left: Answer, right: Answer) -> Iterator[tuple[Difference, ...]]:
        """For every history that the other side should have as well, how it differs from the closest there."""
        if left.whole or not right.whole:
            yield from (self._against(left.histories, history) for history in right.histories)
        if right.whole and (len(left.histories) > 1 or not left.whole):
            yield from (self._nearest(history, right.histories) for history in left.histories)

    def _against(self, models: tuple[History, ...], seen: History) -> tuple[Difference, ...]:
        model, differences = closest(Prediction(models), seen, self.capabilities)
        return (*differences, *_appeared(model, seen)) if self.appearing else differences

    def _nearest(self, model: History, seen: Iterable[History]) -> tuple[Difference, ...]:
        """How the closest of several histories differs from one."""
        candidates = [self._against((model,), history) for history in seen]
        return min(candidates, key=lambda found: (bool(found), -found[0].step if found else 0, len(found)))


def _appeared(model: History, seen: History) -> Iterator[Difference]:
    """Counters that the model does not have; one with labels that is 0 cannot be told from one that is not there."""
    for step, (expected, found) in enumerate(zip(model.observations, seen.observations, strict=False)):
        if expected.counters is None or found.counters is None:
            continue
        for series in sorted(found.counters.keys() - expected.counters.keys()):
            if found.counters[series] or "{" not in series:
                yield Difference(step, f"counters.{series}", ABSENT, found.counters[series])


def with_series_of(answer: Answer, models: Iterable[Answer]) -> Answer:
    """The answer with those counters alone that one of the models knows: a kubelet has hundreds more."""
    known = {
        series
        for model in models
        for history in model.histories
        for observation in history.observations
        for series in observation.counters or ()
    }
    return replace(answer, histories=tuple(_trimmed(history, known) for history in answer.histories))


def _trimmed(history: History, known: set[str]) -> History:
    observations = tuple(
        observation
        if observation.counters is None
        else replace(observation, counters={key: n for key, n in observation.counters.items() if key in known})
        for observation in history.observations
    )
    return replace(history, observations=observations)

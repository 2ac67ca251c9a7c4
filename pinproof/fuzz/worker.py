"""What a worker of a campaign does: it has a subject of its own, and carries out one task after the other.

A task is a value and so are its reports, so that a worker can be a process (`crew.py`). What scenario a number stands for
depends on the seed alone, never on the worker or on what it did before.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pinproof.errors import InputError
from pinproof.fuzz.confirm import Open, confirm
from pinproof.fuzz.corpus import Coverage
from pinproof.fuzz.draws import RandomDraws
from pinproof.fuzz.findings import Signature
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.scenarios import draw_course, draw_scenario, draw_setting
from pinproof.fuzz.shrink import Budget, Shrunk, shrink
from pinproof.fuzz.tally import Tally
from pinproof.fuzz.trial import PHASES, Bench, Trial
from pinproof.ledger import Entry
from pinproof.running.facts import facts_of
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import NotObservableError

THOROUGH = 4
"""One scenario in so many has its state files read."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker knows of its campaign."""

    subject: str
    seed: int
    ledger: tuple[Entry, ...] = ()
    batch: int = 1
    """Scenarios in a row that share a machine and a configuration, since changing these costs a subject time."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Draw and try the scenarios with these numbers."""

    index: int
    numbers: range


@dataclass(frozen=True, slots=True)
class Replay:
    """Try saved scenarios; their numbers are negative, from `first` down, so that none is a drawn one's."""

    index: int
    first: int
    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True, slots=True)
class Shrink:
    """Make a scenario small that fails in this way."""

    signature: Signature
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Confirm:
    """Run a scenario on another subject and look whether it fails there in the same way."""

    signature: Signature
    scenario: Scenario
    subject: str


Task = Chunk | Replay | Shrink | Confirm


@dataclass(frozen=True, slots=True)
class Specimen:
    """The first scenario of a worker that fails in a way that nothing explains."""

    signature: Signature
    number: int
    trial: Trial


@dataclass(frozen=True, slots=True)
class Interesting:
    """A scenario that reached decisions which this worker had not seen reached, or not together."""

    scenario: Scenario
    decisions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Counted:
    """A chunk is done."""

    index: int
    tally: Tally
    interesting: tuple[Interesting, ...]
    """In the order of their numbers; all of them where the scenarios are saved ones."""

    megabytes: int
    """Of memory, the most that the worker ever held."""


@dataclass(frozen=True, slots=True)
class Smaller:
    """A scenario was shrunk."""

    signature: Signature
    shrunk: Shrunk
    trial: Trial


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A scenario was run on another subject."""

    signature: Signature
    verdict: str


Report = Specimen | Counted | Smaller | Confirmed


@dataclass(slots=True)
class Worker:
    """Carries out tasks."""

    plan: Plan
    bench: Bench
    open_: Open
    stopped: Callable[[], bool] = lambda: False
    """Asked between scenarios; what was begun is then given up."""

    _sent: set[Signature] = field(init=False, default_factory=set)
    """What a specimen was sent of."""

    _coverage: Coverage = field(init=False, default_factory=Coverage)
    _ledger: tuple[Entry, ...] = field(init=False)
    _profile: Profile = field(init=False)

    def __post_init__(self) -> None:
        subject = self.bench.subject
        facts = facts_of(subject)
        self._ledger = tuple(entry for entry in self.plan.ledger if entry.is_finding and entry.holds_for(facts))
        self._profile = Profile.of(subject.version, subject.capabilities)

    def carry_out(self, task: Task) -> Iterator[Report]:
        """The reports of a task, each as soon as it can be made."""
        match task:
            case Chunk(index, numbers):
                yield from self._chunk(index, ((number, self.draw(number)) for number in numbers))
            case Replay(index, first, scenarios):
                yield from self._chunk(index, ((first - at, scenario) for at, scenario in enumerate(scenarios)))
            case Shrink(signature, scenario):
                yield self._shrink(signature, scenario)
            case Confirm(signature, scenario, subject):
                yield Confirmed(signature, confirm(signature, scenario, subject, self.open_, self._ledger))

    def draw(self, number: int) -> Scenario:
        """The scenario that a number stands for."""
        draws = RandomDraws.of(seed=self.plan.seed, number=number)
        name = f"fuzz-{self.plan.seed}-{number}"
        if self.plan.batch == 1:
            return draw_scenario(draws, name=name, profile=self._profile)
        # Settings are drawn from numbers of their own: those below zero.
        setting = draw_setting(
            RandomDraws.of(seed=self.plan.seed, number=-1 - number // self.plan.batch), self._profile
        )
        return draw_course(draws, setting, name=name, profile=self._profile)

    def _chunk(self, index: int, scenarios: Iterator[tuple[int, Scenario]]) -> Iterator[Report]:
        tally = Tally()
        interesting: list[Interesting] = []
        self.bench.seconds = dict.fromkeys(PHASES, 0.0)
        began = time.perf_counter()
        for number, scenario in scenarios:
            self.bench.seconds["draw"] += time.perf_counter() - began
            if self.stopped():
                return
            trial = self._try(number, scenario, tally)
            if trial is not None:
                yield from self._specimens(number, trial, tally)
                if self._coverage.add(trial.reached.keys()) or number < 0:
                    interesting.append(Interesting(scenario, frozenset(trial.reached)))
            began = time.perf_counter()
        tally.seconds.update(self.bench.seconds)
        yield Counted(index, tally, tuple(interesting), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)

    def _try(self, number: int, scenario: Scenario, tally: Tally) -> Trial | None:
        try:
            trial = self.bench.examine(scenario, thorough=number % THOROUGH == 0)
        except (InputError, NotObservableError):
            tally.counts["unpredicted"] += 1
            return None
        tally.count(trial)
        return trial

    def _specimens(self, number: int, trial: Trial, tally: Tally) -> Iterator[Specimen]:
        """Count what is wrong; of what is not explained and new to this worker there are specimens."""
        if not trial.judgement.findings and not trial.judgement.trouble:
            return
        for finding in trial.judgement.findings:
            if entry := trial.explanation(finding, self._ledger):
                tally.explained[entry.source] += 1
        found = trial.signatures(self._ledger)
        for signature in found:
            tally.found(signature, number)
        if not self._sent.issuperset(found):
            told = self.bench.explain(trial)
            yield from (Specimen(signature, number, told) for signature in found if signature not in self._sent)
            self._sent.update(found)

    def _shrink(self, signature: Signature, scenario: Scenario) -> Smaller:
        def shows(candidate: Scenario) -> bool:
            return not self.stopped() and self.bench.shows(candidate, signature, self._ledger)

        shrunk = shrink(scenario, shows, budget=Budget())
        trial = self.bench.explain(self.bench.examine(shrunk.scenario))
        return Smaller(signature, shrunk, trial)

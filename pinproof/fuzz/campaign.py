"""A campaign: scenario after scenario, shared out among workers, with everything found kept at once.

What a campaign finds depends on its seed alone. The numbers of the scenarios are handed out in chunks, in order, and the
chunks' results are taken in the same order, however long each took; so the first scenario that shows a kind of failure is
the same with one worker and with eight. Time, Ctrl-C and a bound on findings cut the row of chunks off, nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from pinproof.fuzz.corpus import Corpus
from pinproof.fuzz.crew import Broken, Crew, Done, Message
from pinproof.fuzz.findings import Signature
from pinproof.fuzz.shrink import Shrunk, measure
from pinproof.fuzz.tally import Tally
from pinproof.fuzz.trial import Trial
from pinproof.fuzz.worker import Chunk, Confirm, Confirmed, Counted, Replay, Shrink, Smaller, Specimen, Task
from pinproof.scenario.steps import Scenario

TICK_SECONDS = 0.5
"""Between two looks at the clock."""

SHRUNK_AT_MOST = 25
"""Kinds of failure that are shrunk; a subject with more is broken in some plain way, and the smallest of these tell how."""

NOT_TRIED: Final = "not tried"


@dataclass(slots=True)
class Found:
    """One kind of failure that nothing explains."""

    signature: Signature
    number: int
    """The first scenario that showed it."""

    scenario: Scenario
    """The smallest known."""

    trial: Trial | None = None
    """What came of it, explained; None for a finding of an earlier part of the campaign, which is on disk."""

    shrunk: Shrunk | None = None
    confirmed: str = NOT_TRIED
    """What the kubelet says to it."""

    @property
    def size(self) -> tuple[int, int]:
        """Steps and pods."""
        return measure(self.scenario)

    @classmethod
    def of(cls, specimen: Specimen) -> Self:
        """What a worker has met."""
        return cls(specimen.signature, specimen.number, specimen.trial.scenario, specimen.trial)


@dataclass(slots=True)
class Progress:
    """How far a campaign is; what is saved, so that it can go on later."""

    done: int = 0
    """Scenarios from the first on that are counted, none left out."""

    tally: Tally = field(default_factory=Tally)
    found: dict[Signature, Found] = field(default_factory=dict)
    early: dict[Signature, Found] = field(default_factory=dict)
    """Found by an earlier part in scenarios that it did not come to count; this part will meet them again."""

    seconds: float = 0.0
    megabytes: int = 0
    """Of memory, the most that any worker held."""

    corpus: int = 0
    """Saved scenarios that were tried before the first drawn one."""

    def findings(self) -> list[Found]:
        """In the order in which one worker alone would have met them."""
        return sorted(self.found.values(), key=lambda found: (found.number, found.signature))


@dataclass(frozen=True, slots=True)
class Limits:
    """When a campaign ends; without any it goes on until it is interrupted."""

    scenarios: int | None = None
    """In all, those of an earlier part included."""

    seconds: float | None = None
    """Of drawing, in this part."""

    findings: int = 50
    """Kinds of failure; a subject that shows more has been shown to be broken."""

    chunk: int = 50
    """Scenarios that a worker does at a time."""


class Listener:
    """Is told what happens; does nothing with it."""

    def found(self, found: Found) -> None:
        """A kind of failure is new, or known by a smaller scenario, or confirmed."""

    def counted(self, progress: Progress) -> None:
        """Some more scenarios are done."""

    def tick(self, progress: Progress, busy: int) -> None:
        """Some time has passed."""


@dataclass(slots=True)
class Campaign:
    """Hands out tasks and takes in what comes of them."""

    crew: Crew
    limits: Limits
    progress: Progress
    listener: Listener
    confirm: str = ""
    """Subject that small scenarios are tried on in the end, empty for none."""

    shrinks: bool = True
    saved: tuple[Scenario, ...] = ()
    """Scenarios that are tried before the first drawn one."""

    corpus: Corpus | None = None
    """What is interesting is offered to it."""

    clock: Callable[[], float] = time.monotonic

    trouble: Broken | None = None
    """Why it ended before its time."""

    _next: int = field(init=False)
    _turn: int = 0
    """Index of the chunk whose turn it is to be counted."""

    _handed: int = 0
    _waiting: dict[int, tuple[int, Counted]] = field(default_factory=dict)
    """Index → (number behind its last, result) of chunks that are done before their turn."""

    _ends: dict[int, int] = field(default_factory=dict)
    _specimens: dict[Signature, Specimen] = field(default_factory=dict)
    _follow: list[Task] = field(default_factory=list)
    _began: float = 0.0
    _earlier: float = 0.0
    _shrunk: int = 0

    def __post_init__(self) -> None:
        self._next = self.progress.done
        self._earlier = self.progress.seconds
        for found in self.progress.findings():
            if found.shrunk is None:
                self._shrink(found)

    def run(self) -> None:
        """Until a limit is reached and all that was begun is done."""
        self._began = self.clock()
        try:
            while self.trouble is None:
                self._hand_out()
                if not self.crew.busy():
                    break
                for message in self.crew.messages(TICK_SECONDS):
                    self._take(message)
                self.progress.seconds = self._earlier + self.clock() - self._began
                self.listener.tick(self.progress, self.crew.busy())
        finally:
            self._keep_the_rest()

    # Handing out

    def _hand_out(self) -> None:
        for task in self._tasks():
            self.crew.give(task)

    def _tasks(self) -> Iterator[Task]:
        """Tasks for those who are free: first what makes a finding useful, then more scenarios."""
        while self.crew.free():
            if self._follow:
                yield self._follow.pop(0)
            elif self.saved:
                yield self._replay()
            elif (numbers := self._more()) is not None:
                self._ends[self._handed] = numbers.stop
                yield Chunk(self._handed, numbers)
                self._handed += 1
            else:
                return

    def _replay(self) -> Replay:
        some, self.saved = self.saved[: self.limits.chunk], self.saved[self.limits.chunk :]
        task = Replay(self._handed, -1 - self.progress.corpus, some)
        self.progress.corpus += len(some)
        self._ends[self._handed] = self.progress.done
        self._handed += 1
        return task

    def _more(self) -> range | None:
        """The numbers of the next chunk, None at the end."""
        limits = self.limits
        if limits.seconds is not None and self.clock() - self._began >= limits.seconds:
            return None
        if len(self._specimens) >= limits.findings:
            return None
        end = self._next + limits.chunk
        if limits.scenarios is not None:
            end = min(end, limits.scenarios)
        if end <= self._next:
            return None
        numbers = range(self._next, end)
        self._next = end
        return numbers

    # Taking in

    def _take(self, message: Message) -> None:
        match message:
            case Specimen():
                self._specimen(message)
            case Counted():
                self._waiting[message.index] = (self._ends.pop(message.index), message)
                self._count()
            case Smaller(signature, shrunk, trial):
                self._smaller(signature, shrunk, trial)
            case Confirmed(signature, verdict):
                found = self.progress.found[signature]
                found.confirmed = verdict
                self.listener.found(found)
            case Broken():
                self.trouble = message
            case Done():
                pass

    def _specimen(self, specimen: Specimen) -> None:
        known = self._specimens.get(specimen.signature)
        if specimen.signature not in self.progress.found and (known is None or specimen.number < known.number):
            self._specimens[specimen.signature] = specimen
            self.listener.found(Found.of(specimen))

    def _count(self) -> None:
        """Take in all chunks whose turn it is."""
        while self._turn in self._waiting:
            self.progress.done, counted = self._waiting.pop(self._turn)
            self._turn += 1
            self.progress.tally.add(counted.tally)
            self.progress.megabytes = max(self.progress.megabytes, counted.megabytes)
            if self.corpus:
                for interesting in counted.interesting:
                    self.corpus.offer(interesting.scenario, interesting.decisions)
            for signature in counted.tally.signatures:
                self._settle(signature)
            self.listener.counted(self.progress)

    def _settle(self, signature: Signature) -> None:
        """No earlier scenario can show this any more: the specimen at hand is the one to keep and to shrink."""
        specimen = self._specimens.get(signature)
        if signature in self.progress.found or specimen is None:
            return
        found = self.progress.found[signature] = Found.of(specimen)
        self.listener.found(found)
        self._shrink(found)

    def _shrink(self, found: Found) -> None:
        if self.shrinks and self._shrunk < SHRUNK_AT_MOST:
            self._shrunk += 1
            self._follow.append(Shrink(found.signature, found.scenario))
        elif self.confirm:
            self._confirm(found)

    def _smaller(self, signature: Signature, shrunk: Shrunk, trial: Trial) -> None:
        found = self.progress.found[signature]
        found.shrunk, found.scenario, found.trial = shrunk, shrunk.scenario, trial
        self.listener.found(found)
        if self.confirm:
            self._confirm(found)

    def _confirm(self, found: Found) -> None:
        self._follow.append(Confirm(found.signature, found.scenario, self.confirm))

    def _keep_the_rest(self) -> None:
        """What was found in chunks that were never counted is found all the same."""
        for specimen in self._specimens.values():
            if specimen.signature not in self.progress.found:
                self.progress.found[specimen.signature] = Found.of(specimen)
        self.progress.found = {**self.progress.early, **self.progress.found}
        self.progress.seconds = self._earlier + self.clock() - self._began

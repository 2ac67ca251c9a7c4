"""Many scenarios looked at, by this process or by several side by side.

What was seen is heard of at once and in whatever order, so that it can be kept; it is counted in the order of the scenarios, so
that one process and eight come to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from pinproof.errors import PinproofError
from pinproof.running.crew import GRACE_SECONDS, Alone, Broken, Crew, Done, Processes
from pinproof.scenario.steps import Scenario

Look = TypeVar("Look")
Looks = Callable[[Scenario], Look]

BATCH = 5
"""Scenarios that a process looks at in a row; so many drawn ones share a machine and a configuration (`selection.py`)."""

TICK_SECONDS = 0.5
"""Between two signs of life."""


class WorkerError(PinproofError):
    """A process that looks at scenarios has ended; what it saw before is kept."""

    def __init__(self, broken: Broken) -> None:
        self.exit_code = broken.exit_code
        super().__init__(broken.message)


@dataclass(frozen=True, slots=True)
class Batch:
    """Scenarios in a row."""

    first: int
    """Number of the first."""

    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True, slots=True)
class Looked(Generic[Look]):
    """What was seen of a scenario."""

    number: int
    look: Look


class _Worker(Generic[Look]):
    """Looks at batch after batch."""

    def __init__(self, look: Looks[Look], stopped: Callable[[], bool] = lambda: False) -> None:
        self._look = look
        self._stopped = stopped

    def carry_out(self, batch: Batch) -> Iterator[Looked[Look]]:
        """One after the other."""
        for number, scenario in enumerate(batch.scenarios, batch.first):
            if self._stopped():
                return
            yield Looked(number, self._look(scenario))


Seat = Callable[[], AbstractContextManager[Looks[Look]]]
"""Opens what it takes to look, and closes it; can be sent to another process."""


def alone(look: Looks[Look]) -> Crew[Batch, Looked[Look]]:
    """This process."""
    return Alone(_Worker(look))


def side_by_side(seat: Seat[Look], number: int, *, grace: float = GRACE_SECONDS) -> Crew[Batch, Looked[Look]]:
    """So many processes, each with subjects of its own, which may take `grace` seconds to close."""
    return Processes(partial(_hired, seat), number, grace=grace)


@contextmanager
def _hired(seat: Seat[Look], stopped: Callable[[], bool]) -> Iterator[_Worker[Look]]:
    with seat() as look:
        yield _Worker(look, stopped)


def look_at(
    scenarios: Iterable[Scenario],
    crew: Crew[Batch, Looked[Look]],
    *,
    heard: Callable[[Look], None],
    count: Callable[[Look], None],
) -> None:
    """Look at all of them; the crew is closed in the end, however that comes.

    Args:
        scenarios: what to look at; they are drawn as they are needed.
        crew: who looks.
        heard: told of every look as soon as it was taken.
        count: told of the same looks in the order of the scenarios; at an interruption of all that were taken.

    Raises:
        WorkerError: a worker has ended.
    """
    batches = _batches(scenarios)
    waiting: dict[int, Look] = {}
    turn = 0
    try:
        for looked in _looks(crew, batches):
            heard(looked.look)
            waiting[looked.number] = looked.look
            while turn in waiting:
                count(waiting.pop(turn))
                turn += 1
    finally:
        for number in sorted(waiting):
            count(waiting[number])
        crew.close()


def _batches(scenarios: Iterable[Scenario]) -> Iterator[Batch]:
    rest, first = iter(scenarios), 0
    while some := tuple(islice(rest, BATCH)):
        yield Batch(first, some)
        first += len(some)


def _looks(crew: Crew[Batch, Looked[Look]], batches: Iterator[Batch]) -> Iterator[Looked[Look]]:
    while True:
        for batch in islice(batches, crew.free()):
            crew.give(batch)
        if not crew.busy():
            return
        for message in crew.messages(TICK_SECONDS):
            if isinstance(message, Broken):
                raise WorkerError(message)
            if not isinstance(message, Done):
                yield message

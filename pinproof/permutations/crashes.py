"""A scenario with its kubelet killed at every point of every step, and started again.

How many writes a step has nobody knows beforehand, so the points are tried one after the other until a step ends without coming
to one. What came of each is told against the same step with a kubelet that is restarted behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final, TypeVar, get_args

from pinproof.history import Observation
from pinproof.permutations.outcomes import AS_BEFORE, Outcome, outcome_of
from pinproof.report.result import Table
from pinproof.scenario.faults import AtCall, AtWrite, Method, Point, StateFile
from pinproof.scenario.steps import Admit, Crash, Exit, Remove, Restart, Scenario, Step

Place = StateFile | Method
"""A file that is written, a method that is called."""

WRITES: Final[tuple[StateFile, ...]] = get_args(StateFile)
CALLS: Final[tuple[Method, ...]] = ("RunPodSandbox", "CreateContainer", "StartContainer")
"""Those that lead to a container; the calls that end one come in no order."""

MOST: Final = 1000
"""Points of a place in one step; whoever comes to more never ends."""

UNHARMED: Final = "as without the crash"

HEAD = ("step", "killed at", "points", "outcome")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kill:
    """One point of one step."""

    step: int
    """Number of the step, from 1, which is the index of its observation too."""

    at: Point
    scenario: Scenario
    """The step interrupted, a restart, and then what follows in the scenario."""

    @property
    def place(self) -> Place:
        """What the kubelet was about when it was killed."""
        return self.at.file if isinstance(self.at, AtWrite) else self.at.method


@dataclass(frozen=True, slots=True)
class Killed:
    """A point that was reached, and what the next kubelet made of it."""

    kill: Kill
    outcome: Outcome


@dataclass(slots=True)
class Crashed:
    """The outcomes of all points of a scenario."""

    steps: dict[int, str] = field(default_factory=dict)
    """Number of a step that was interrupted → what it is."""

    places: tuple[Place, ...] = WRITES
    results: list[Killed] = field(default_factory=list)

    @property
    def points(self) -> int:
        """Points that were reached."""
        return len(self.results)

    def outcomes(self, step: int | None = None) -> dict[Outcome, list[str]]:
        """Outcome → points that led to it, such as `memory_manager_state 1 after`, of a step or of all."""
        found: dict[Outcome, list[str]] = {}
        for one in self.results:
            if step in (None, one.kill.step):
                found.setdefault(one.outcome, []).append(f"{one.kill.place} {_named(one.kill.at)}")
        return found

    def table(self, title: str) -> Table:
        """Points of a step that follow one another and have one outcome share a row; where there is none, a row says so."""
        rows: list[tuple[str, str, str, str]] = []
        for step, words in self.steps.items():
            for place in self.places:
                of_place = [one for one in self.results if (one.kill.step, one.kill.place) == (step, place)]
                runs = [(outcome, list(run)) for outcome, run in groupby(of_place, key=lambda one: one.outcome)]
                rows += [(f"{step} {words}", place, _span(run), outcome) for outcome, run in runs]
                rows += [(f"{step} {words}", place, "none", "-")] if not runs else []
        return Table(title, HEAD, tuple(rows))


def kills(
    scenario: Scenario, plain: Sequence[Observation], places: Sequence[Place], attempt: Callable[[Kill], T | None]
) -> Iterator[T]:
    """What was found at every point that is reached.

    Args:
        scenario: whose steps are interrupted, each in turn.
        plain: what is observed where nobody kills it; a kubelet that does not run cannot be killed.
        places: what it is killed at.
        attempt: kills at a point; answers None if the step did not come to it.
    """
    for number, step in interruptible(scenario, plain):
        for place in places:
            yield from _of_place(scenario, number, step, place, attempt)


def _of_place(
    scenario: Scenario, number: int, step: Event, place: Place, attempt: Callable[[Kill], T | None]
) -> Iterator[T]:
    for count in range(1, MOST + 1):
        for at in _points(place, count):
            steps = (*scenario.steps[: number - 1], Crash(step, at), Restart(), *scenario.steps[number:])
            found = attempt(Kill(number, at, replace(scenario, steps=steps)))
            if found is None:
                return
            yield found
    raise RuntimeError(f"step {number} has more than {MOST} points at {place}")


Event = Admit | Remove | Exit | Restart
"""A step in which a kubelet can be killed."""


def interruptible(scenario: Scenario, plain: Sequence[Observation]) -> Iterator[tuple[int, Event]]:
    """The steps in which a kubelet can be killed, with their numbers; `plain` as for `kills`."""
    for number, step in enumerate(scenario.steps[: len(plain) - 1], 1):
        if isinstance(step, Restart) or (isinstance(step, Event) and plain[number - 1].running):
            yield number, step


def unharmed(scenario: Scenario, number: int) -> Scenario:
    """The scenario up to a step, with a restart behind it."""
    return replace(scenario, steps=(*scenario.steps[:number], Restart()))


def was_killed(seen: Observation) -> bool:
    """Whether this is a kubelet that came to its point; one that refuses has said why."""
    return not seen.running and seen.refusal is None


def aftermath(plain: Observation, after: Observation) -> Outcome:
    """What the next kubelet made of the pods, against what it makes of them where nobody was killed.

    A pod that is rejected is gone after any restart, and is left out.
    """
    rejected = {name for name, verdict in (plain.pods or {}).items() if not verdict.admitted}
    admitted = {name for name, verdict in (after.pods or {}).items() if verdict.admitted}
    names = (plain.pods or {}).keys() - rejected | admitted
    told = outcome_of(plain, after, tuple(names))
    return UNHARMED if told == AS_BEFORE else told


def words(step: Step) -> str:
    """A step in a table."""
    match step:
        case Admit(pod):
            return f"admit {pod.name}"
        case Remove(pod):
            return f"remove {pod}"
        case Exit(pod, container, code):
            return f"exit {pod}/{container} {code}"
        case _:
            return type(step).__name__.lower()


def _points(place: Place, number: int) -> tuple[Point, ...]:
    """The moments of one write or call, in the order of time."""
    if place == "memory_manager_state" or place == "cpu_manager_state":
        return AtWrite(place, number, "before"), AtWrite(place, number, "unnamed"), AtWrite(place, number, "after")
    return AtCall(place, number, "before"), AtCall(place, number, "after")


def _named(at: Point) -> str:
    return f"{at.number} {at.moment}"


def _span(run: Sequence[Killed]) -> str:
    first, last = _named(run[0].kill.at), _named(run[-1].kill.at)
    return first if first == last else f"{first} to {last}"

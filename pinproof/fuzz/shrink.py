"""From a scenario that fails to the smallest one found that fails in the same way.

Structural: the candidates are scenarios that are simpler by one thought of a person (a step less, a node less, a rounder
size), tried greedily until none of them fails any more. The result depends on the scenario and the subject alone, unless
the time runs out, which is a backstop (docs/adr: shrinking).

>>> Budget(tries=2).left(1, 0.0), Budget(tries=2).left(2, 0.0), Budget(seconds=1.0).left(1, 2.0)
(True, False, False)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pinproof.errors import InputError
from pinproof.fuzz.shrink_machine import simpler_configs, simpler_machines
from pinproof.fuzz.shrink_pods import renamed, simpler_pods
from pinproof.fuzz.shrink_steps import fewer_steps, gone_instead, simpler_restarts
from pinproof.scenario.checks import Timeline
from pinproof.scenario.contents import machines, pods
from pinproof.scenario.machine import Machine
from pinproof.scenario.machines import check_nodes
from pinproof.scenario.reader import parse_scenario
from pinproof.scenario.steps import Scenario
from pinproof.scenario.writer import write_scenario

Candidates = Callable[[Scenario], Iterator[Scenario]]

Shows = Callable[[Scenario], bool]
"""Whether a scenario fails in the way that is looked for."""

PASSES: tuple[Candidates, ...] = (
    fewer_steps,
    gone_instead,
    simpler_pods,
    simpler_machines,
    simpler_configs,
    simpler_restarts,
    renamed,
)
"""Each from what removes most to what removes least; what removes most comes first."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent on one scenario."""

    tries: int = 4000
    """Scenarios that are run."""

    seconds: float = 50.0

    def left(self, tries: int, seconds: float) -> bool:
        """Whether anything is."""
        return tries < self.tries and seconds < self.seconds


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What shrinking came to."""

    scenario: Scenario
    tries: int
    """Scenarios that were run."""

    seconds: float
    finished: bool
    """Whether nothing simpler was left to try."""

    again: bool = True
    """Whether the scenario that was given failed in this way once more; what does not cannot be shrunk."""


def shrink(scenario: Scenario, shows: Shows, *, budget: Budget | None = None) -> Shrunk:
    """The smallest scenario found for which `shows` holds, if it holds for the one given."""
    began = time.monotonic()
    if not shows(scenario):
        return Shrunk(scenario, 1, time.monotonic() - began, finished=False, again=False)
    return _Search(scenario, shows, budget or Budget()).run()


class _Search:
    def __init__(self, scenario: Scenario, shows: Shows, budget: Budget) -> None:
        self._best = scenario
        self._shows = shows
        self._budget = budget
        self._known = {scenario}
        self._tries = 0
        self._began = time.monotonic()

    def run(self) -> Shrunk:
        before: Scenario | None = None
        while before != self._best and self._left:
            before = self._best
            for candidates in PASSES:
                self._exhaust(candidates)
        return Shrunk(self._best, self._tries, time.monotonic() - self._began, self._left)

    @property
    def _left(self) -> bool:
        return self._budget.left(self._tries, time.monotonic() - self._began)

    def _exhaust(self, candidates: Candidates) -> None:
        """Take the first candidate that shows it, and go on from there, until there is none."""
        found = True
        while found and self._left:
            found = any(self._try(candidate) for candidate in candidates(self._best))

    def _try(self, candidate: Scenario) -> bool:
        if candidate in self._known or not self._left:
            return False
        self._known.add(candidate)
        if not possible(candidate):
            return False
        self._tries += 1
        if not self._shows(candidate) or not readable(candidate):
            return False
        self._best = candidate
        return True


def readable(scenario: Scenario) -> bool:
    """Whether a file with this scenario reads back to it; the last word, and too slow to be the first."""
    try:
        return parse_scenario(write_scenario(scenario)) == scenario
    except InputError:
        return False


def possible(scenario: Scenario) -> bool:
    """Whether the steps of a scenario can follow one another on machines that can be; leaves the rest to `readable`."""
    said: list[str] = []
    timeline = Timeline(lambda _, message: said.append(message), scenario.machine, scenario.kubelet, at=("kubelet",))
    for index, step in enumerate(scenario.steps):
        timeline.follow(step, ("steps", index))
    return not said and all(map(_is_machine, machines(scenario)))


def _is_machine(machine: Machine) -> bool:
    return not any(check_nodes(machine.nodes, threads_per_core=machine.threads_per_core))


def measure(scenario: Scenario) -> tuple[int, int]:
    """Steps and pods of a scenario: what the smallness of a finding is told in."""
    return len(scenario.steps), len({pod.name for pod in pods(scenario)})


def named(scenario: Scenario, name: str) -> Scenario:
    """The same scenario under another name."""
    return replace(scenario, name=name)

"""One node that is restarted again and again, with pods that come and go meanwhile: it loses nothing.

The 500 restarts are a case for `--nightly`: they take some minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pinproof.running.steps import PlannedRestart
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Step
from pinproof.suite import (
    Prove,
    Seen,
    admit,
    besteffort,
    block,
    case,
    container,
    gib,
    guaranteed,
    remove,
    restart,
    static,
)

CPU = static(topology="restricted", cpu="static")
SINGLES = 6
"""Pods at a time that fit one node each, of 12Gi together: they share nodes 2 and 3."""

GROUP_STAYS = 7
"""Restarts that a pod of 12Gi lives through, which gets nodes 0 and 1."""


@dataclass(slots=True)
class Course:
    """Steps, and which pods live after each restart."""

    restarts: int
    steps: list[Step | PlannedRestart] = field(default_factory=list)
    living: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Number of a restart's step → pods."""

    came: dict[str, int] = field(default_factory=dict)
    """Pod → number of the step in which it came."""

    _singles: list[str] = field(default_factory=list)
    _group: str = ""

    def __post_init__(self) -> None:
        for number in range(self.restarts):
            if number % GROUP_STAYS == 0:
                self._change_group(number)
            if len(self._singles) == SINGLES:
                self._go(self._singles.pop(0))
            self._singles.append(f"s{number}")
            self._come(single(number))
            self._restart(number)
        for name in (*self._singles, self._group):
            self._go(name)
        self.steps.append(admit(besteffort("other")))

    def _change_group(self, number: int) -> None:
        if self._group:
            self._go(self._group)
        self._group = f"g{number}"
        self._come(guaranteed(self._group, memory="12Gi"))

    def _come(self, pod: Pod) -> None:
        self.steps.append(admit(pod))
        self.came[pod.name] = len(self.steps)

    def _go(self, name: str) -> None:
        self.steps.append(remove(name))

    def _restart(self, number: int) -> None:
        """Every fifth time by force; each time in another order."""
        pods = (self._group, *self._singles)
        turn = number % len(pods)
        order = (*pods[turn:], *pods[:turn])
        self.steps.append(
            restart(signal="KILL" if number % 5 == 4 else "TERM", order=order[:: -1 if number % 2 else 1])
        )
        self.living[len(self.steps)] = tuple(sorted(pods))


def single(number: int) -> Pod:
    """A pod of 1, 2 or 3Gi and one CPU; every fourth has two containers."""
    size = number % 3 + 1
    if number % 4 < 3:
        return guaranteed(f"s{number}", memory=f"{size}Gi", cpu="1")
    halves = [container(name, memory=f"{size * 512}Mi", cpu="500m") for name in "cd"]
    return guaranteed(f"s{number}", containers=halves)


def lost(course: Course, seen: Seen) -> list[str]:
    """What is not after a restart as it was when its pod had come; one line each."""
    found: list[str] = []
    for after, pods in course.living.items():
        if not seen.at(after).running:
            return [*found, f"step {after}: the kubelet does not run"]
        found += [f"step {after}: {name} is rejected" for name in pods if not seen.admitted(name, after=after)]
        held = seen.assigned(after=after)
        found += [f"step {after}: {name} is there no more" for name in pods if name not in held]
        for name in held.keys() & set(pods):
            for each in held[name]:
                was, now = (seen.blocks(name, each, after=step) for step in (course.came[name], after))
                found += [f"step {after}: {name}/{each} has {now}, not {was}"] if was != now else []
    return found


def proven(prove: Prove, restarts: int) -> None:
    """So many restarts, after each of which everything is where it was, and everything is free in the end."""
    course = Course(restarts)
    seen = prove(*course.steps)

    assert restarts == len(course.living)
    assert [] == lost(course, seen)
    assert [block((0, 1), memory="12Gi")] == seen.blocks("g0", after=1)
    assert [gib(10)] * 4 == [seen.free(node) for node in range(4)]
    assert {} == seen.assigned()


@case("MM-SCALE-003", machines="four_snc2", kubelet=CPU)
def test_twenty_restarts_lose_nothing(prove: Prove) -> None:
    """Pods come and go between twenty restarts; nobody moves."""
    proven(prove, 20)


@pytest.mark.timeout(3600)
@case("MM-SCALE-003", machines="four_snc2", kubelet=CPU, nightly=True)
def test_500_restarts_lose_nothing(prove: Prove) -> None:
    """Pods come and go between 500 restarts in a row, a hundred of them by SIGKILL; nobody moves, and nothing is left."""
    proven(prove, 500)

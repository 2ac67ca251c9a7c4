"""One node that is restarted again and again, with pods that come and go meanwhile: it loses nothing.

The 500 restarts are a case for `--nightly`: they take some minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pinproof.history import Block
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

BEST_EFFORT, CPU = static(topology="best-effort"), static(topology="restricted", cpu="static")
SINGLES = 6
"""Pods at a time that fit one node each, of 12Gi together: they share nodes 2 and 3."""

GROUP_STAYS = 7
"""Restarts that a pod of 12Gi lives through, which gets nodes 0 and 1."""


IN_TURN = ("12Gi", "3Gi", "2Gi", "1Gi")
"""Sizes of pods that share one group of two nodes, three pods at a time: what a node of it gives is other after each release."""


@dataclass(slots=True)
class Course:
    """Steps, and which pods live after each restart."""

    steps: list[Step | PlannedRestart] = field(default_factory=list)
    living: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Number of a restart's step → pods."""

    came: dict[str, int] = field(default_factory=dict)
    """Pod → number of the step in which it came."""

    def come(self, pod: Pod) -> str:
        """A pod arrives."""
        self.steps.append(admit(pod))
        self.came[pod.name] = len(self.steps)
        return pod.name

    def go(self, *names: str) -> None:
        """Pods are deleted."""
        self.steps += [remove(name) for name in names]

    def restart(self, *pods: str) -> None:
        """With these pods, in another order each time; every fifth time by force."""
        number = len(self.living)
        turn = number % len(pods)
        order = (*pods[turn:], *pods[:turn])
        self.steps.append(
            restart(signal="KILL" if number % 5 == 4 else "TERM", order=order[:: -1 if number % 2 else 1])
        )
        self.living[len(self.steps)] = tuple(sorted(pods))

    def end(self, *pods: str) -> None:
        """All go, and one comes that wants nothing: with it what they had is free."""
        self.go(*pods)
        self.steps.append(admit(besteffort("other")))


def side_by_side(restarts: int) -> Course:
    """Four nodes: one pod at a time has a group of two nodes, six share the other two, node by node."""
    course, group = Course(), ""
    singles: list[str] = []
    for number in range(restarts):
        if number % GROUP_STAYS == 0:
            course.go(*filter(None, [group]))
            group = course.come(guaranteed(f"g{number}", memory="12Gi"))
        if len(singles) == SINGLES:
            course.go(singles.pop(0))
        singles.append(course.come(single(number)))
        course.restart(group, *singles)
    course.end(*singles, group)
    return course


def in_one_group(restarts: int) -> Course:
    """Two nodes, which all pods have together."""
    course = Course()
    pods: list[str] = []
    for number in range(restarts):
        if len(pods) == 3:
            course.go(pods.pop(0))
        pods.append(course.come(guaranteed(f"p{number}", memory=IN_TURN[number % len(IN_TURN)])))
        course.restart(*pods)
    course.end(*pods)
    return course


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


def proven(prove: Prove, course: Course, restarts: int, *, first: tuple[str, Block]) -> None:
    """So many restarts, after each of which everything is where it was, and everything is free in the end."""
    seen = prove(*course.steps)
    pod, where = first

    assert restarts == len(course.living)
    assert [] == lost(course, seen)
    assert [where] == seen.blocks(pod, after=1)
    assert {gib(10)} == {seen.free(node.id) for node in prove.machine.nodes}
    assert {} == seen.assigned()


@case("MM-SCALE-003", machines="four_snc2", kubelet=CPU)
def test_twenty_restarts_lose_nothing(prove: Prove) -> None:
    """Pods come and go between twenty restarts; nobody moves."""
    proven(prove, side_by_side(20), 20, first=("g0", block((0, 1), memory="12Gi")))


@case("MM-SCALE-003", machines="two_even", kubelet=BEST_EFFORT, since="1.32")
def test_twenty_restarts_of_one_group(prove: Prove) -> None:
    """Pods of one group come and go between twenty restarts, so that its memory is split over its nodes in ever new ways."""
    proven(prove, in_one_group(20), 20, first=("p0", block((0, 1), memory="12Gi")))


@pytest.mark.timeout(3600)
@case("MM-SCALE-003", machines="four_snc2", kubelet=CPU, nightly=True)
def test_500_restarts_lose_nothing(prove: Prove) -> None:
    """Pods come and go between 500 restarts in a row, a hundred of them by SIGKILL; nobody moves, and nothing is left."""
    proven(prove, side_by_side(500), 500, first=("g0", block((0, 1), memory="12Gi")))


@pytest.mark.timeout(3600)
@case("MM-SCALE-003", machines="two_even", kubelet=BEST_EFFORT, nightly=True, since="1.32")
def test_500_restarts_of_one_group(prove: Prove) -> None:
    """The same 500 times with one group."""
    proven(prove, in_one_group(500), 500, first=("p0", block((0, 1), memory="12Gi")))

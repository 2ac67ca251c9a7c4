"""Findings that show the same thing are one sort, of which the smallest is worth reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pinproof.fuzz.findings import abstract, step_kind
from pinproof.judge.compare import Difference
from pinproof.judge.words import words
from pinproof.scenario.contents import pods
from pinproof.scenario.steps import Scenario


class Found(Protocol):
    """A scenario over which two subjects part."""

    @property
    def scenario(self) -> Scenario:
        """What was run."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """At least one."""


F = TypeVar("F", bound=Found)


@dataclass(slots=True)
class Sort(Generic[F]):
    """Findings whose first difference is the same but for names, numbers and sizes."""

    name: str
    smallest: F
    count: int = 1


def by_sort(findings: Iterable[F]) -> list[Sort[F]]:
    """The sorts of some findings, those with most findings first."""
    sorts: dict[str, Sort[F]] = {}
    for found in findings:
        name = sort_of(found)
        known = sorts.get(name)
        if known is None:
            sorts[name] = Sort(name, found)
            continue
        known.count += 1
        if size(found.scenario) < size(known.smallest.scenario):
            known.smallest = found
    return sorted(sorts.values(), key=lambda sort: -sort.count)


def sort_of(found: Found) -> str:
    """`admit: pods.*: admitted → rejected, TopologyAffinityError: …`."""
    first = found.differences[0]
    names = {
        name
        for pod in pods(found.scenario)
        for name in (pod.name, *(container.name for container in pod.all_containers))
    }
    old, new = (abstract(words(first.path, value), names) for value in (first.expected, first.seen))
    return f"{step_kind(found.scenario, first.step)}: {abstract(first.path, names)}: {old} → {new}"


def size(scenario: Scenario) -> tuple[int, ...]:
    """How much there is to read: steps, containers, nodes."""
    return len(scenario.steps), sum(len(pod.all_containers) for pod in pods(scenario)), len(scenario.machine.nodes)

"""The golden files under `fixtures/checkpoints/`: state files as kubelets wrote them, and what was recorded of each.

A *writer* is a release with or without gate `PodLevelResourceManagers`, on which the formats depend (behaviour.md 4.2). Every
writer has one folder a scenario, with both files in it.

>>> Writer("1.36.3", managed=True).name
'1.36.3+PodLevelResourceManagers'
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from pinproof.errors import InputError, Problem
from pinproof.running.places import shipped
from pinproof.running.releases import minor_number
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Scenario

GATE = "PodLevelResourceManagers"
GATE_SINCE = (1, 36)
"""The first minor that knows the gate."""

MEMORY = "memory_manager_state"
CPU = "cpu_manager_state"
INDEX = "recorded.yaml"
MANAGED_ONLY = frozenset({"pod-level"})
"""Scenarios that say something only with the gate."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote a file."""

    release: str
    managed: bool = False
    """Gate `PodLevelResourceManagers` was on."""

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.release}+{GATE}" if self.managed else self.release

    def scenarios(self) -> list[str]:
        """Names of the scenarios that are recorded of it."""
        names = sorted(file.stem for file in (folder() / "scenarios").glob("*.yaml"))
        return [name for name in names if self.managed or name not in MANAGED_ONLY]


@dataclass(frozen=True, slots=True)
class Golden:
    """The two files that a writer left behind after a scenario."""

    writer: Writer
    scenario: str
    memory: str
    """Text of `memory_manager_state`."""

    cpu: str
    """Text of `cpu_manager_state`."""


def folder() -> Path:
    """Where the files are."""
    return shipped("fixtures") / "checkpoints"


def scenario_of(name: str, *, managed: bool) -> Scenario:
    """A scenario that is recorded, with the gate on where the writer has it on."""
    scenario = read_scenario(folder() / "scenarios" / f"{name}.yaml")
    gates = ((GATE, True),) if managed else ()
    return replace(scenario, kubelet=replace(scenario.kubelet, feature_gates=gates))


def writers_of(release: str) -> tuple[Writer, ...]:
    """A release without the gate, and with it where it knows the gate."""
    plain = Writer(release)
    return (plain, Writer(release, managed=True)) if minor_number(release) >= GATE_SINCE else (plain,)


@cache
def recorded() -> tuple[Writer, ...]:
    """All writers, oldest first; InputError where the index cannot be read."""
    file = folder() / INDEX
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        names = [entry["writer"] for entry in document["writers"]]
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        problem = Problem("", f"it cannot be read ({error}); record it with `pinproof checkpoints record`")
        raise InputError(str(file), problem) from None
    return tuple(writer_named(name) for name in names)


def writer_named(name: str) -> Writer:
    """The writer of a folder's name."""
    release, _, gate = name.partition("+")
    return Writer(release, managed=gate == GATE)


def golden(writer: Writer, scenario: str) -> Golden:
    """The files of a writer and scenario; InputError where they are not there."""
    place = folder() / writer.name / scenario
    try:
        memory, cpu = ((place / name).read_text(encoding="utf-8") for name in (MEMORY, CPU))
    except OSError as error:
        raise InputError(str(place), Problem("", f"{error.strerror}; see `pinproof checkpoints record`")) from None
    return Golden(writer, scenario, memory, cpu)


def every() -> Iterator[Golden]:
    """Every file that was recorded."""
    for writer in recorded():
        for name in writer.scenarios():
            yield golden(writer, name)

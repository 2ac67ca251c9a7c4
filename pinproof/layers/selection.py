"""The scenarios that subjects are compared on: files, folders of files, or drawn ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pinproof.errors import InputError, Problem
from pinproof.layers.answers import Side
from pinproof.running.releases import minor_number
from pinproof.scenario.machine import Machine
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Capabilities

A_BOOT = 5
"""Drawn scenarios that share a machine and a configuration where a kubelet is among the subjects."""


def chosen(
    files: Sequence[str], drawn: int | None, *, seed: int, sides: Sequence[Side], machine: Machine | None = None
) -> Iterable[Scenario]:
    """What the command line asks for: files, or so many scenarios that all sides can be given, drawn for a machine or with one.

    Raises:
        InputError: neither or both are asked for, or a file cannot be used.
    """
    if bool(files) == bool(drawn):
        raise InputError("scenarios", Problem("", "give either files, or --scenarios N to draw some"))
    return drawn_for(sides, drawn, seed=seed, machine=machine) if drawn else read_all(files)


def read_all(files: Sequence[str]) -> list[Scenario]:
    """Scenario files; of a folder every `*.yaml` below it. InputError names every problem of every file."""
    scenarios, problems = [], []
    for file in _listed(files):
        try:
            scenarios.append(read_scenario(file))
        except InputError as error:
            problems += [Problem(error.source, str(problem)) for problem in error.problems]
    if problems:
        raise InputError("scenarios", *problems)
    return scenarios


def _listed(files: Sequence[str]) -> Iterator[Path]:
    for file in map(Path, files):
        if not file.is_dir():
            yield file
            continue
        found = sorted(file.rglob("*.yaml"))
        if not found:
            raise InputError(str(file), Problem("", "has no scenario files (*.yaml)"))
        yield from found


def drawn_for(sides: Sequence[Side], number: int, *, seed: int, machine: Machine | None = None) -> Iterator[Scenario]:
    """Scenarios of the oldest of the releases, with nothing in them that one of the subjects cannot do.

    Those of a newer one would have feature gates that the older one does not know, and does not start with. Some in a
    row share a machine and a configuration, so that a kubelet is booted once for them. Where one of the subjects is a virtual
    machine no restart changes it: each change would be another machine that has to be found first.
    """
    from pinproof.fuzz.draws import RandomDraws
    from pinproof.fuzz.profile import Profile
    from pinproof.fuzz.scenarios import draw_course, draw_setting

    oldest = min((side.subject.version for side in sides), key=minor_number)
    able = [side.subject.capabilities for side in sides]
    observables = frozenset.intersection(*(each.observables for each in able))
    virtual = any(side.name.startswith("vm") for side in sides)
    steps = frozenset.intersection(*(each.steps for each in able)) - ({"restart.machine"} if virtual else set())
    profile = Profile.of(oldest, Capabilities(observables, steps))
    boots = virtual or any(side.name.startswith(("kubelet", "kind")) for side in sides)
    for first in range(0, number, A_BOOT if boots else 1):
        setting = draw_setting(RandomDraws.of(seed=seed, number=first), profile, machine=machine)
        for index in range(first, min(number, first + (A_BOOT if boots else 1))):
            draws = RandomDraws.of(seed=seed, number=index)
            yield draw_course(draws, setting, name=f"drawn-{seed}-{index}", profile=profile)

"""Scenarios worth keeping: those that reach a decision of the reference, or two in one scenario, that no other reached.

They are replayed first by the next campaign, so that what took long to be met once is met at once from then on. A corpus
keeps itself small: a scenario that adds nothing to those before it is removed.

>>> coverage = Coverage()
>>> coverage.add({"a", "b"}), coverage.add({"b"}), coverage.add({"b", "c"}), coverage.add({"a", "c"}), coverage.add({"c"})
(True, False, True, True, False)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from pinproof.build import cache
from pinproof.errors import InputError, Problem
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Scenario
from pinproof.scenario.writer import write_scenario

MOST = 1000
"""Scenarios that a corpus holds."""

NAME = "corpus"
"""Of every scenario in it, so that the same one is kept once whoever drew it."""


class Coverage:
    """Which decisions were reached, and which were reached together."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._beside: list[int] = []
        """Number of a decision → set of decisions that were reached with it, itself included, as bits."""

    def add(self, decisions: Collection[str]) -> bool:
        """Count a scenario that reached these; whether any of them, or any two together, is new."""
        numbers = [self._number(name) for name in decisions]
        together = 0
        for number in numbers:
            together |= 1 << number
        is_new = False
        for number in numbers:
            if together & ~self._beside[number]:
                self._beside[number] |= together
                is_new = True
        return is_new

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._beside)
            self._beside.append(0)
        return number


class Corpus:
    """Scenarios in a folder, a file each."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._coverage = Coverage()
        self._files: dict[Scenario, Path] = {}

    def load(self) -> tuple[Scenario, ...]:
        """What is there, the shortest first; what a newer or older pinproof wrote and this one cannot read is left alone."""
        for path in sorted(self.place.glob("*.yaml")):
            try:
                self._files[read_scenario(path)] = path
            except InputError:
                continue
        return tuple(sorted(self._files, key=lambda scenario: (len(scenario.steps), self._files[scenario].name)))

    def offer(self, scenario: Scenario, decisions: Iterable[str]) -> None:
        """Keep a scenario that adds something, and remove one that is there and does not.

        Raises:
            InputError: the folder cannot be written.
        """
        adds = self._coverage.add(frozenset(decisions))
        scenario = replace(scenario, name=NAME)
        known = self._files.get(scenario)
        try:
            if known and not adds:
                self._files.pop(scenario).unlink(missing_ok=True)
            elif adds and not known and len(self._files) < MOST:
                self._files[scenario] = self._write(scenario)
        except OSError as error:
            problem = Problem("", f"cannot be written: {error.strerror}; name a folder that is yours, or --no-corpus")
            raise InputError(f"--corpus {self.place}", problem) from None

    def _write(self, scenario: Scenario) -> Path:
        text = write_scenario(scenario)
        path = self.place / f"{cache.digest(text)}.yaml"
        self.place.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_text(text, encoding="utf-8")
        return beside.replace(path)


def default_place(minor: str) -> Path:
    """Where the corpus of a minor lies unless a user says otherwise: beside what was built for it."""
    return cache.directory() / "corpus" / minor

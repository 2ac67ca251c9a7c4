"""What a benchmark answers with, and the table of them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pinproof.errors import PinproofError
from pinproof.subjects.registry import DEFAULT


@dataclass(frozen=True, slots=True)
class Options:
    """What all benchmarks are told."""

    subject: str
    """The kubelet to measure with."""

    seconds: float
    """How long each rate is measured."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    name: str
    value: float
    unit: str
    wanted: float
    """The number on two cores: at least so many a second, or at most so many seconds."""

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith("/s")

    @property
    def ratio(self) -> float:
        """How many times better than wanted; under 1 is worse."""
        return self.value / self.wanted if self.is_rate else self.wanted / self.value

    def row(self) -> tuple[str, ...]:
        """As the table has it."""
        bound = "at least" if self.is_rate else "at most"
        wanted = f"{bound} {self.wanted:g} {self.unit}"
        return self.name, f"{self.value:,.4g} {self.unit}", wanted, f"{self.ratio:.2f}"


Benchmark = Callable[[Options], Iterable[Figure]]


def table(figures: Iterable[Figure]) -> str:
    """The figures, one a line."""
    rows = [("figure", "measured", "wanted", "ratio"), *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def options_of(arguments: list[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure the figures of the README.")
    parser.add_argument("--subject", default=DEFAULT, help=f"the kubelet to measure with (default {DEFAULT})")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each rate is measured (default 10)")
    given = parser.parse_args(arguments)
    return Options(given.subject, given.seconds)


def run(*benchmarks: Benchmark) -> int:
    """Measure and print, with the load that others made; what cannot be measured is said, and the others go on."""
    options = options_of()
    load = os.getloadavg()[0]
    found: list[Figure] = []
    missing = 0
    for benchmark in benchmarks:
        try:
            found += benchmark(options)
        except PinproofError as error:
            missing = error.exit_code
            print(error)
    print(f"{os.cpu_count()} CPUs, {load:.1f} processes wanted to run when this began")
    print(table(found))
    return missing

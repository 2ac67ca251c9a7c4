"""Seconds from `pinproof replay FILE` to its verdict."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks.commands import timed
from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import four_admissions
from pinproof.scenario.steps import Restart
from pinproof.scenario.writer import write_scenario

RUNS = 3


def measure(options: Options) -> Iterable[Figure]:
    """The median of three: four admissions, then four and a restart."""
    plain = next(four_admissions())
    restarted = replace(plain, steps=(*plain.steps, Restart()))
    for name, scenario in (("replay, four admissions", plain), ("replay, and a restart", restarted)):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "scenario.yaml"
            file.write_text(write_scenario(scenario), encoding="utf-8")
            times = sorted(timed("replay", str(file), "--subject", options.subject) for _ in range(RUNS))
        yield Figure(name, times[RUNS // 2], "s", 3)


if __name__ == "__main__":
    sys.exit(run(measure))

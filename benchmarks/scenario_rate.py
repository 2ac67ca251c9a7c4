"""Scenarios of four admissions a second, with two kubelets that were booted once."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import four_admissions
from benchmarks.side_by_side import Work, rate


def measure(options: Options) -> Iterable[Figure]:
    """Judged ones only."""
    done = rate(Work(options.subject, four_admissions, options.seconds, cold=False))
    yield Figure("two kubelets, four admissions each", done, "scenarios/s", 20)


if __name__ == "__main__":
    sys.exit(run(measure))

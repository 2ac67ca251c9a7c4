"""Scenarios a second that each need a cold boot and a restart, with two kubelets at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import cold_restarts
from benchmarks.side_by_side import Work, rate


def measure(options: Options) -> Iterable[Figure]:
    """Judged ones only."""
    done = rate(Work(options.subject, cold_restarts, options.seconds, cold=True))
    yield Figure("two kubelets, cold boot and restart each", done, "scenarios/s", 1.5)


if __name__ == "__main__":
    sys.exit(run(measure))

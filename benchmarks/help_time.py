"""Seconds that `pinproof --help` takes."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from benchmarks.commands import timed
from benchmarks.figures import Figure, Options, run

RUNS = 5


def measure(_: Options) -> Iterable[Figure]:
    """The median of five, after one that warms the disk's cache."""
    timed("--help")
    times = sorted(timed("--help") for _ in range(RUNS))
    yield Figure("pinproof --help", times[RUNS // 2], "s", 0.3)


if __name__ == "__main__":
    sys.exit(run(measure))

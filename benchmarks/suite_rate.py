"""The whole suite with two kubelets: cases a second over its own mix, and how long it takes."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.commands import timed
from benchmarks.figures import Figure, Options, run


def measure(options: Options) -> Iterable[Figure]:
    """From the command to its verdict, collecting and reporting included; a finding (exit 1) is a verdict too."""
    with tempfile.TemporaryDirectory() as out:
        spent = timed("run", "--subject", options.subject, "-n", "2", "--out", out, allowed=(0, 1))
        cases = len(json.loads((Path(out) / "report.json").read_text(encoding="utf-8"))["cases"])
    yield Figure("two kubelets, the suite's own mix", cases / spent, "scenarios/s", 6)
    yield Figure(f"the whole suite, {cases} cases", spent, "s", 240)


if __name__ == "__main__":
    sys.exit(run(measure))

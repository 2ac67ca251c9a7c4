"""The whole suite: with two and with four kubelets, cases a second over its own mix; on components, how long it takes."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.commands import timed
from benchmarks.figures import Figure, Options, run
from pinproof.build.sources import DEFAULT_RELEASE


def measure(options: Options) -> Iterable[Figure]:
    """From the command to its verdict, collecting and reporting included; a finding (exit 1) is a verdict too."""
    for kubelets in (2, 4):
        cases, spent = _whole_suite(options.subject, kubelets)
        yield Figure(f"{kubelets} kubelets, the suite's own mix", cases / spent, "scenarios/s", 6)
        yield Figure(f"{kubelets} kubelets, all {cases} cases", spent, "s", 240)
    cases, spent = _whole_suite(f"component:{DEFAULT_RELEASE}", 2)
    yield Figure(f"2 components, all {cases} cases", spent, "s", 30)


def _whole_suite(subject: str, workers: int) -> tuple[int, float]:
    with tempfile.TemporaryDirectory() as out:
        spent = timed("run", "--subject", subject, "-n", str(workers), "--out", out, allowed=(0, 1))
        report = json.loads((Path(out) / "report.json").read_text(encoding="utf-8"))
    return len(report["cases"]), spent


if __name__ == "__main__":
    sys.exit(run(measure))

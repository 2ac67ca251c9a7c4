"""The whole suite with two and with four kubelets: cases a second over its own mix, and how long it takes."""

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
    for kubelets in (2, 4):
        cases, spent = _whole_suite(options.subject, kubelets)
        yield Figure(f"{kubelets} kubelets, the suite's own mix", cases / spent, "scenarios/s", 6)
        yield Figure(f"{kubelets} kubelets, all {cases} cases", spent, "s", 240)


def _whole_suite(subject: str, kubelets: int) -> tuple[int, float]:
    with tempfile.TemporaryDirectory() as out:
        spent = timed("run", "--subject", subject, "-n", str(kubelets), "--out", out, allowed=(0, 1))
        report = json.loads((Path(out) / "report.json").read_text(encoding="utf-8"))
    return len(report["cases"]), spent


if __name__ == "__main__":
    sys.exit(run(measure))

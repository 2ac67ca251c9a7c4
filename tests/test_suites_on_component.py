"""The suites on the component subject: green where it shows enough, and said once where it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CANNOT = ("pod_resources", "counters.exposition", "metrics.prom")
AREAS = ("metrics", "podresources", "restart")
"""Some cases that need what only a kubelet shows, and the ones with open outcomes."""


def test_what_a_component_cannot_show_is_not_applicable_once(tmp_path: Path) -> None:
    """PodResources and the metrics page are of the kubelet around the managers, and no node is there to lose its power."""
    command = [
        sys.executable,
        "-m",
        "pinproof",
        "run",
        "--subject",
        "component:1.36.3",
        "--out",
        str(tmp_path),
        "-n",
        "0",
    ]

    done = subprocess.run(
        [*command, *(f"suites/{area}" for area in AREAS)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    cases = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["cases"]
    reasons = {reason for case in cases for reason in case["notApplicable"]}
    assert 0 == done.returncode, done.stdout[-3000:]
    told = {f"component:1.36.3 does not show {what}" for what in CANNOT} | {"component:1.36.3 cannot do restart.power"}
    assert told == reasons
    assert {"passed", "expected_failure", "not_applicable"} == {case["outcome"] for case in cases}

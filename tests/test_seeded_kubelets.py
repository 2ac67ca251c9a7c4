"""Kubelets 1.36.3 with one bug each are told from the real one.

The ordinary run checks that every bug still is one place of the release. `tox -e seeded` builds each kubelet the way a user
would and runs the case that is named for it; that takes one or two minutes a kubelet.

Measured on 21 November 2026 on two cores, each kubelet on the module of suites that its named case is in (the second one
on two modules): cases that failed, of those run.

    group-rule          4 of 23   masks that are offered end in a group violation
    wide-is-preferred   3 of 48   restricted admits what it has to reject
    takes-twice        14 of 31   more is booked than is assigned
    no-reuse           26 of 32   a pod takes the sum of its containers
    init-kept           8 of 21   blocks of finished init containers stay
    never-released      9 of 40   the next pod is rejected
    compares-nodes      8 of 18   the kubelet refuses its own file
    wrong-text         25 of 25   the checksum
    counted-twice      21 of 30   two requests for one container
    first-node-only     4 of 26   cpuset_mems is 0 instead of 0,1

one-node-untold runs in a virtual machine, where the named case asserts pages alone: on 22 November 2026 the 20720 KiB of a
container whose blocks are on node 2, which has no CPUs, were on node 0.
pods-on-node-0 does, too: four findings, all of pages, and none of the books or of what the runtime was told.

On 22 November 2026 the last three bugs were put into one kubelet, which ran two modules of suites/observability (events, the
log of admissions) and suites/metrics/test_metrics_page.py: 20 of 32 cases failed, 16 over events, two over the log, two over
durations.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinproof.build.changes import Changes, read_changes
from tests.seeded_kubelets import RELEASE, SEEDED, Seeded, patch_of

ROOT = Path(__file__).parent.parent
EVERY = [pytest.param(seeded, id=seeded.name) for seeded in SEEDED]


def changed(module: Path, root: Path, seeded: Seeded, changes: Changes) -> str:
    """The file of a bug after some changes, in a tree of its own."""
    file = root / seeded.edit.path
    file.parent.mkdir(parents=True)
    file.write_text((module / seeded.edit.path).read_text(encoding="utf-8"), encoding="utf-8")
    changes.apply(root)
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("seeded", EVERY)
def test_bug_is_one_place_of_the_release(module: Path, tmp_path: Path, seeded: Seeded) -> None:
    """The edit applies exactly once, and its patch makes the same file."""
    patch = tmp_path / "bug.patch"
    patch.write_text(patch_of(seeded, module), encoding="utf-8")

    by_edit = changed(module, tmp_path / "edit", seeded, Changes(edits=(seeded.edit,)))
    by_patch = changed(module, tmp_path / "patch", seeded, read_changes([patch], [], release=True))

    assert by_edit == by_patch
    assert by_edit != (module / seeded.edit.path).read_text(encoding="utf-8")


def test_bugs_are_spread() -> None:
    """Every area that the issue names has one, and each is caught by a case of its own."""
    areas = {seeded.area for seeded in SEEDED}

    assert {"hints", "allocation", "restart validation", "checkpoint", "counters", "cpuset_mems"} <= areas
    assert len(SEEDED) == len({seeded.caught_by for seeded in SEEDED})


def pinproof(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a user gives it."""
    return subprocess.run(
        [sys.executable, "-m", "pinproof", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seeded", EVERY)
def test_kubelet_with_the_bug_is_caught(module: Path, tmp_path: Path, seeded: Seeded) -> None:
    """Built from a patch, run, found: exit 1, and the named case among the failures."""
    caught(seeded, f"{seeded.subject}:{built(seeded, module, tmp_path)}", tmp_path / "out")


@pytest.mark.engine
@pytest.mark.timeout(1800)
def test_kubelet_with_the_bug_is_caught_on_a_cluster(module: Path, tmp_path: Path) -> None:
    """The same, swapped into a worker of a kind cluster."""
    seeded = next(each for each in SEEDED if each.name == "first-node-only")

    caught(seeded, f"kind:{RELEASE}?kubelet={built(seeded, module, tmp_path)}", tmp_path / "out")


def built(seeded: Seeded, module: Path, place: Path) -> Path:
    """The kubelet with a bug, as a user builds it."""
    patch, kubelet = place / "bug.patch", place / "kubelet"
    patch.write_text(patch_of(seeded, module), encoding="utf-8")
    done = pinproof("build", "kubelet", RELEASE, "--patch", str(patch), "--output", str(kubelet))
    assert 0 == done.returncode, done.stderr
    return kubelet


def caught(seeded: Seeded, subject: str, out: Path) -> None:
    """The case that is there for it fails, and a run with it says so."""
    path, _, test = seeded.caught_by.partition("::")
    run = pinproof("run", "--subject", subject, f"suites/{path}.py::{test}", "--out", str(out))

    assert 1 == run.returncode, run.stdout + run.stderr
    outcomes = {case["outcome"] for case in json.loads((out / "report.json").read_text(encoding="utf-8"))["cases"]}
    assert "failed" in outcomes
    assert outcomes <= {"failed", "passed"}

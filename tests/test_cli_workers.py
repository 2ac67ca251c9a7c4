"""How many processes a run takes when nobody says."""

from __future__ import annotations

import os

import pytest

from pinproof.cli.run import _side_by_side

CORES = ["-n", str(min(2 * (os.cpu_count() or 1), 8))]


@pytest.mark.parametrize("whole", [[], ["--subject", "kubelet:K"], ["--subject=kubelet:K", "--out", "o", "-q"]])
def test_a_whole_run_uses_every_core(whole: list[str]) -> None:
    """What says nothing about the selection leaves the run a whole one."""
    assert CORES == _side_by_side(whole)


@pytest.mark.parametrize("subject", [["--subject", "component:1.36.3"], ["--subject=component:1.36.3"]])
def test_what_computes_has_a_core_for_itself(subject: list[str]) -> None:
    """Only kubelets wait most of the time."""
    assert ["-n", str(min(os.cpu_count() or 1, 8))] == _side_by_side(["--out", "o", *subject])


@pytest.mark.parametrize("part", [["suites/restart"], ["-k", "hints"], ["-n", "1"], ["-s"], ["--collect-only"]])
def test_a_part_runs_in_this_process(part: list[str]) -> None:
    """Nor does a run whose processes the user counted get others."""
    assert [] == _side_by_side([*part, "--subject", "kubelet:K"])

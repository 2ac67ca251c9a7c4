"""`pinproof permute`: the table of outcomes by order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pinproof.cli.main import main
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Admit, Crash, Exit, Restart, Scenario
from pinproof.scenario.topologies import machine
from pinproof.scenario.writer import write_scenario
from pinproof.suite import container, guaranteed, static


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    """A pod over two nodes, and one that joined it."""
    shape = machine("two_even")
    pods = tuple(Admit(guaranteed(name, memory=amount)) for name, amount in (("big", "15Gi"), ("small", "1Gi")))
    path = tmp_path / "group.yaml"
    path.write_text(write_scenario(Scenario("group", shape, static()(shape), pods)), encoding="utf-8")
    return str(path)


def test_orders_that_differ_are_named(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the state kept none does; with it lost the order decides."""
    code = main(["permute", scenario, "--subject", "reference:1.36"])

    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    told = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert 0 == code
    assert ["nothing", "kept", "0, 1, 2", "every order", "as before"] in told
    assert ["nothing", "lost", "2", "big small", "as before"] in told
    rejected = "big: rejected, UnexpectedAdmissionError; small: memory 1073741824 (1Gi) on {0}"
    assert ["nothing", "lost", "2", "small big", rejected] in told
    assert ["8 restarts of reference:1.36, 0 scenarios with findings"] == told[-1]


def test_document(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows by name, and the exit code."""
    code = main(["permute", scenario, "--subject", "reference", "--states", "empty", "--after", "1", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (0, 0, 1, []) == (code, told["exitCode"], told["restarts"], told["wrong"])
    assert [
        {
            "while the kubelet was down": "nothing",
            "state file": "empty",
            "after step": "1",
            "order of the pods": "every order",
            "outcome": "refuses: unexpected end of JSON input",
        }
    ] == told["outcomes"]


def test_scenarios_with_findings_are_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A running pod is rejected at a restart, since its init container, which is over, would not fit once more."""
    shape = machine("one")
    pod = guaranteed("a", memory="6Gi", init=[container("i", memory="6Gi")])
    path, out = tmp_path / "init.yaml", tmp_path / "out"
    path.write_text(
        write_scenario(Scenario("init", shape, static()(shape), (Admit(pod), Exit("a", "i")))), encoding="utf-8"
    )
    code = main(["permute", str(path), "--subject", "reference", "--states", "kept", "--out", str(out)])

    told = capsys.readouterr().out
    assert 1 == code
    assert "a: rejected, UnexpectedAdmissionError" in told
    assert f"pinproof replay {out}/restarts-1.yaml" in told
    assert Restart(order=("a",)) == read_scenario(out / "restarts-1.yaml").steps[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--states", "keep"], "--states: no keep; there are kept, of release"),
        (["--states", ","], "--states: no name"),
        (["--changes", "moved"], "--changes: no moved; there are nothing, deleted"),
        (["--after", "3"], "--after: '3' is no list of numbers from 0 to 2"),
        (["--after", "x"], "--after: 'x' is no list"),
    ],
)
def test_what_makes_no_sense(
    scenario: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message, exit 2, before anything is opened."""
    assert 2 == main(["permute", scenario, "--subject", "reference", *arguments])
    assert message in capsys.readouterr().err


def test_killed_at_every_write(scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Between the books of the nodes and the assignment there is a moment after which no kubelet starts: a finding."""
    code = main(["permute", scenario, "--subject", "reference:1.36", "--crashes", "--out", str(tmp_path)])

    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    told = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    refuses = "refuses: [memorymanager] the expected machine state is different from the real one"
    assert 1 == code
    for step in ("1 admit big", "2 admit small"):
        assert [step, "memory_manager_state", "1 before to 1 unnamed", "as without the crash"] in told
        assert [step, "memory_manager_state", "1 after to 2 unnamed", refuses] in told
        assert [step, "memory_manager_state", "2 after", "as without the crash"] in told
        assert [step, "cpu_manager_state", "none", "-"] in told
    assert ["12 crashes of reference:1.36, 6 scenarios with findings"] == told[-1]
    assert isinstance(read_scenario(tmp_path / "restarts-1.yaml").steps[0], Crash)


def test_calls_are_asked_for(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One of each for either pod, before and after; every pod comes back."""
    code = main(["permute", scenario, "--subject", "reference:1.36", "--crashes", "calls", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (0, 12) == (code, told["crashes"])
    assert {"1 before to 1 after"} == {row["points"] for row in told["outcomes"]}
    assert {"as without the crash"} == {row["outcome"] for row in told["outcomes"]}

"""The command line: quick, clean on standard output, one message for what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pinproof.cli.main import COMMANDS, main
from pinproof.scenario.steps import Admit, Scenario
from pinproof.scenario.topologies import machine
from pinproof.scenario.writer import write_scenario
from pinproof.suite import guaranteed, static
from tests.plugin_runs import FITS, Project

pytest_plugins = ["pytester"]

HERE = Path(__file__).parent.parent


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    """A scenario file: one pod on two nodes."""
    shape = machine("two_even")
    value = Scenario("fits", shape, static()(shape), (Admit(guaranteed("a", memory="4Gi")),))
    path = tmp_path / "fits.yaml"
    path.write_text(write_scenario(value), encoding="utf-8")
    return str(path)


def test_help_loads_nothing_heavy() -> None:
    """So it is there at once."""
    heavy = "{'pytest', 'pydantic', 'yaml', 'hypothesis', 'prometheus_client'}"
    script = (
        f"import sys; from pinproof.cli.main import make_parser; make_parser(); print({heavy} & sys.modules.keys())"
    )
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=HERE)

    assert "set()" == result.stdout.strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And says what it is for."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert 0 == ended.value.code
    assert f"usage: pinproof {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rum"], "there is no command 'rum', did you mean run?"),
        (["replay", "x.yaml", "--subjet", "reference"], "replay does not take --subjet"),
        (["replay", "x.yaml", "--subjet", "reference"], "did you mean --subject?"),
        (["predict"], "the following arguments are required: FILE"),
        (["predict", "none.yaml"], "none.yaml: cannot be read"),
        (["replay", "none.yaml", "--subject", "reference"], "none.yaml: cannot be read"),
        (["run", "--sbject", "reference"], "there is no option --sbject, did you mean --subject?"),
        (["run", "--subject", "refrence"], "did you mean 'reference'"),
    ],
)
def test_a_mistake_is_one_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error, without a traceback, exit 2."""
    monkeypatch.chdir(HERE)
    code = main(arguments)

    told = capsys.readouterr()
    assert 2 == code
    assert message in told.err
    assert "Traceback" not in told.err + told.out


def test_predict_shows_every_step(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, sizes with their units."""
    code = main(["predict", scenario, "--kubernetes", "1.32"])

    told = capsys.readouterr().out
    assert 0 == code
    assert "step 1: admit a\n  pod a: admitted\n  a/c: memory 4294967296 (4Gi) on {0}" in told
    assert "free of 10737418240 (10Gi); group {0}, 1 assignments" in told


def test_predict_prints_one_document(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else."""
    main(["predict", scenario, "--json"])

    document = json.loads(capsys.readouterr().out)
    last = document["histories"][0]["observations"][-1]
    assert ("pinproof/v1alpha1", "Prediction", "1.36") == tuple(
        document[key] for key in ("apiVersion", "kind", "kubernetes")
    )
    assert {"affinity": [0], "type": "memory", "size": 4 << 30} == last["assignments"]["a"]["c"][0]


def test_a_minor_that_is_not_known_is_refused(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2."""
    assert 2 == main(["predict", scenario, "--kubernetes", "2.0"])
    assert 2 == main(["predict", scenario, "--kubernetes", "latest"])
    assert "'latest' is not a Kubernetes release" in capsys.readouterr().err


def test_replay_judges_and_shows_the_history_when_asked(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0 where the subject does what its reference says."""
    code = main(["replay", scenario, scenario, "--subject", "reference:1.36", "--history"])

    told = capsys.readouterr().out
    assert 0 == code
    assert 2 == told.count("step 1: admit a\n")
    assert 2 == told.count("fits: passed, compared: running, pods")


def test_replay_prints_one_document(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With outcome, findings, both histories and the exit code."""
    main(["replay", scenario, "--subject", "reference:1.36", "--json"])

    document = json.loads(capsys.readouterr().out)
    (result,) = document["scenarios"]
    assert ("Replay", 0, "passed") == (document["kind"], document["exitCode"], result["outcome"])
    assert result["observed"]["observations"] == result["predicted"]["histories"][0]["observations"]


def test_run_takes_the_options_of_pytest(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """And ends with the verdict and where the report lies."""
    project = Project(pytester).suite(FITS)
    options = ["suites", "--subject", "reference", "--ledger=ledger", "-k", "fits", "-p", "no:cacheprovider"]
    result = pytester.run(sys.executable, "-m", "pinproof", "run", *options)

    *_, verdict, report = [line for line in result.outlines if line]
    assert 0 == result.ret
    assert verdict.startswith("PASSED (reference)")
    assert report == f"report: {project.path}/out/report.html, report.json, report.md"


def test_ctrl_c_keeps_what_was_found(pytester: pytest.Pytester) -> None:
    """Exit 130, no traceback, and the report has what ran before."""
    project = Project(pytester).suite(FITS, FITS.replace("test_fits", "test_hangs"))
    command = [sys.executable, "-m", "pinproof", "run", "suites", "--subject", "hang", "--ledger=ledger"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=project.path, env=os.environ
    )
    wait_for(project.path / "hangs.txt", process)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)

    assert 130 == process.returncode
    assert "Traceback" not in told
    assert "INTERRUPTED (hang)" in told
    assert ["passed", "not_run"] == list(project.outcomes().values())


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Until a file is there that the process makes."""
    while not path.exists():
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)


def test_run_without_a_path_takes_the_shipped_suites(pytester: pytest.Pytester) -> None:
    """On workers too, which are started with what was typed."""
    options = ["--subject", "reference", "-k", "metrics", "-n", "1", "--out=out", "-p", "no:cacheprovider"]
    result = pytester.run(sys.executable, "-m", "pinproof", "run", *options)

    assert 0 == result.ret
    assert json.loads((pytester.path / "out" / "report.json").read_text())["totals"]["executed"] > 0


def test_a_command_that_is_terminated_clears_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after Ctrl-C; a second SIGTERM meanwhile does not stop that, and later ones are what they were."""
    cleared: list[str] = []

    def work(_: list[str]) -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)  # the signal comes at once, and this is not waited for
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleared.append("all")
        return 0

    monkeypatch.setattr("pinproof.cli.main._dispatch", work)

    assert 130 == main(["replay"])
    assert ["all"] == cleared
    assert "pinproof: interrupted\n" == capsys.readouterr().err
    assert signal.SIG_DFL == signal.getsignal(signal.SIGTERM)

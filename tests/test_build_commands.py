"""`pinproof build` and `pinproof doctor`, and what they find out about this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pinproof.build import examination, kind_command, namespaces, toolchain
from pinproof.build.examination import Check, examine
from pinproof.cli.main import main
from pinproof.engine import engines

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, a machine without Go, and no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(toolchain, "on_path", lambda: None)
    monkeypatch.setattr(toolchain, "has_installer", lambda: True)


def forbid(monkeypatch: pytest.MonkeyPatch, problem: str, *, uid: int = 1000) -> None:
    monkeypatch.setattr(namespaces, "_try", lambda _: problem)
    monkeypatch.setattr("os.geteuid", lambda: uid)


def test_build_passes_a_binary_through(tmp_path: Path, capsys: Captured) -> None:
    """A binary is named, or copied to where it is wanted."""
    (tmp_path / "k").write_text("binary")

    code = main(["build", "kubelet", str(tmp_path / "k"), "--output", str(tmp_path / "copy")])

    assert (code, capsys.readouterr().out) == (0, f"{tmp_path / 'copy'}\n")
    assert (tmp_path / "copy").read_text() == "binary"
    assert (tmp_path / "copy").stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["component", "1.36"], "component:1.36: a release has three numbers"),
        (["kubelet", "1.36"], "a release has three numbers"),
        (["kubelet", sys.executable, "--patch", "x.patch"], "can be neither patched"),
        (["kubelet", sys.executable, "--output", "/nosuch/k"], "/nosuch/k: cannot be written: No such file"),
        (["kubelet", "1.36.3", "--go-flags", "-tags 'x"], "--go-flags: No closing quotation"),
        (["kubelet", "1.36.3", "--patch", "/nosuch.patch"], "the patch cannot be read"),
    ],
)
def test_bad_input_is_one_message(arguments: list[str], message: str, capsys: Captured) -> None:
    """Exit 2, the place and the remedy, nothing built."""
    code = main(["build", *arguments])

    assert code == 2
    assert message in capsys.readouterr().err


def test_doctor_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """A machine that cannot run the default subject ends with 12 and tells why."""
    forbid(monkeypatch, "unshare: Operation not permitted")

    code = main(["doctor"])

    said = capsys.readouterr().out
    assert code == 12
    assert "MISSING namespaces: user namespaces are forbidden: unshare: Operation not permitted\n        next: " in said
    assert "no  --subject kubelet: missing: namespaces" in said
    assert "yes --subject component: component:1.36.3" in said
    assert "yes --subject reference" in said


def test_doctor_as_json_prints_one_document(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """The same for programs, versioned."""
    monkeypatch.setattr(namespaces, "_try", lambda _: "")

    code = main(["doctor", "--json"])

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (document["apiVersion"], document["kind"]) == ("pinproof/v1alpha1", "Doctor")
    assert {"subject": "kubelet", "usable": True, "reason": "kubelet:1.36.3"} in document["subjects"]


def test_go_is_missing_only_without_a_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel is as good as a Go; without pip and uv there is none."""
    with_pip = examine().checks
    monkeypatch.setattr(toolchain, "has_installer", lambda: False)
    without = examine().checks

    assert ["note", "missing"] == [
        check.state for checks in (with_pip, without) for check in checks if check.name == "go"
    ]


def test_disk_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for a first build is looked at before it begins."""
    monkeypatch.setattr(examination, "FIRST_BUILD", 2**60)

    cache = [check for check in examine().checks if check.name == "cache"]

    assert ["missing"] == [check.state for check in cache]


def test_root_without_user_namespaces_uses_its_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root needs no user namespace."""
    monkeypatch.setattr(namespaces, "_try", lambda mode: "forbidden" if mode == "user" else "")
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert namespaces.privileges().mode == "root"


def test_other_systems_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubelet needs Linux."""
    monkeypatch.setattr("sys.platform", "darwin")

    found = namespaces.privileges()

    assert (found.mode, found.problem) == (None, "a kubelet needs Linux, this is darwin")


def test_probe_leaves_this_process_alone() -> None:
    """The namespaces are tried in a process of their own."""
    before = Path("/proc/self/ns/mnt").readlink()

    namespaces.privileges()

    assert before == Path("/proc/self/ns/mnt").readlink()


def test_commands_are_light() -> None:
    """Declaring the commands imports none of what they need to run."""
    script = (
        "import argparse, sys; from pinproof.cli import build, doctor; s = argparse.ArgumentParser().add_subparsers();"
        "build.add_parser(s); doctor.add_parser(s);"
        "sys.exit(any(m.startswith(('pinproof.build', 'subprocess', 'filelock')) for m in sys.modules))"
    )

    code = subprocess.run([sys.executable, "-c", script], check=False).returncode

    assert code == 0


def test_inotify_limit_is_no_obstacle() -> None:
    """Whatever the limits of this machine, every check has a known state."""
    assert {check.state for check in examination.examine().checks} <= {"ok", "note", "missing"}
    assert all(isinstance(check, Check) for check in examine().checks)


@pytest.mark.parametrize(
    ("uid", "state", "detail", "remedy"),
    [
        (1000, "note", "that needs root", "install Docker or Podman"),
        (0, "ok", "pinproof starts a Docker of its own", ""),
    ],
)
def test_doctor_looks_for_a_container_engine(
    uid: int, state: str, detail: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never missing for the other subjects: they need none."""
    monkeypatch.setattr(engines, "found", lambda *_: (None, ()))
    monkeypatch.setattr("os.geteuid", lambda: uid)
    monkeypatch.setattr("shutil.which", lambda name, **_: f"/usr/bin/{name}")

    check = examination._engine()

    assert check.state == state
    assert detail in check.detail
    assert remedy in check.remedy


def test_doctor_names_the_engine_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "found", lambda *_: (engines.Engine("podman", {}, "5.0.0"), ()))

    assert examination._engine() == Check("container engine", "ok", "podman 5.0.0 answers")


def test_doctor_says_how_kind_is_come_by(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On PATH, too old there, built before, to be built."""
    found: list[tuple[Path, tuple[int, int, int]] | None] = [(tmp_path, (0, 33, 0)), (tmp_path, (0, 20, 0)), None]
    monkeypatch.setattr(kind_command, "on_path", lambda: found.pop(0))

    new, old = examination._kind(), examination._kind()
    built = tmp_path / "pinproof" / "commands" / "kind-v0.33.0-x" / "kind"
    built.parent.mkdir(parents=True)
    built.touch()

    assert (new.state, new.detail) == ("ok", "v0.33.0 on PATH")
    assert (old.state, old.detail) == (
        "note",
        "v0.20.0 on PATH is too old; it will be built from its Go module when first needed",
    )
    assert examination._kind() == Check("kind", "ok", "built from its Go module earlier")

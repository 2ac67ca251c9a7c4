"""What goes wrong between pinproof and a container engine: one message with the step, whose fault it is and the way out."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pinproof.errors import SubjectError
from pinproof.subjects.kind.cluster import Folder, Maker
from pinproof.subjects.kind.engine import Commands
from pinproof.subjects.kubelet.timeouts import Timeouts

CREATING = "create the cluster pinproof-x"
UNABLE = "ERROR: failed to create cluster: "


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """An engine that knows of no container."""
    monkeypatch.setenv("PATH", f"{_script(tmp_path / 'docker', 'exit 0').parent}:/usr/bin:/bin")
    return Commands("docker", Timeouts())


def made(kind: Path, commands: Commands, place: Path) -> SubjectError:
    """What is said of a cluster that cannot be made."""
    maker = Maker(commands, kind, _script(place / "runtime", "exit 0"))
    with pytest.raises(SubjectError) as refused:
        maker.make("pinproof-x", Folder(place / "folder"), image="kindest/node:v1.36.3", release="1.36.3", number=1)
    assert not (place / "folder").exists()
    return refused.value


@pytest.mark.parametrize("state", ["running", "Up 2 minutes"])
def test_containers_that_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """Docker has a word for it, Podman 4 a sentence."""
    said = f"x-worker {state}\nx-control-plane exited"
    program = _script(tmp_path / "podman", f"echo '{said}'")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    assert {"x-worker": True, "x-control-plane": False} == Commands("podman", Timeouts()).containers("x")


@pytest.mark.parametrize(
    ("said", "fault", "remedy"),
    [
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "no engine runs", "start Docker"),
        ("permission denied while trying to connect to the daemon socket", "permissions of this user", "group docker"),
        ("write /var/lib/docker/tmp/1: no space left on device", "disk", "make room"),
        ("crun: setrlimit: Operation not permitted: OCI permission denied", "the engine", "ENGINE=own"),
        ("Bind for 127.0.0.1:41231 failed: port is already allocated", "another process", "run again"),
        ("listen tcp4 127.0.0.1:41231: bind: address already in use", "another process", "run again"),
        ("failed to pull image: pull access denied for kindest/node", "node image", "pinproof build node-image"),
        (
            "failed to pull image: manifest for kindest/node:v1.36.3 not found: manifest unknown",
            "node image",
            "node-image",
        ),
        ("failed to pull image: dial tcp: lookup registry.example: no such host", "way to a registry", "node-image"),
        ("Error response from daemon: No such image: x:1", "node image", "another version"),
        ("something that nobody has seen", "container engine or the cluster", "pinproof doctor"),
    ],
)
def test_kind_that_cannot_create(commands: Commands, tmp_path: Path, said: str, fault: str, remedy: str) -> None:
    kind = _script(tmp_path / "kind", f'echo "{UNABLE}{said}" >&2; exit 1')

    refused = made(kind, commands, tmp_path)

    assert refused.step == CREATING
    assert said in refused.message
    assert fault in refused.fault
    assert remedy in refused.remedy
    assert refused.exit_code == 12


def test_kind_that_is_no_program(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "kind").write_text("")

    refused = made(tmp_path / "kind", commands, tmp_path)

    assert "cannot be run: Permission denied" in refused.message


def test_kind_that_hangs(commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait has a name, and what was said until then is shown."""
    monkeypatch.setattr(Timeouts, "seconds", lambda *_: 0.5)
    kind = _script(tmp_path / "kind", "echo 'Preparing nodes' >&2; exec sleep 60")

    refused = made(kind, commands, tmp_path)

    assert "the wait 'cluster' expired after 0.5 s" in refused.message
    assert "Preparing nodes" in refused.message


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path

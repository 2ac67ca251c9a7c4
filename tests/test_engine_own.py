"""A container engine of pinproof's own: every way to end leaves the machine as it was. Needs root: `tox -e kind`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinproof.engine import engines, own, programs
from pinproof.waiting import looks
from tests.own_engine import isolate, machine

pytestmark = pytest.mark.engine

GONE_SECONDS = 30.0
STAYS_SECONDS = 1.0
STARTS_SECONDS = 10.0
USER = """
import subprocess, sys, tempfile
from pathlib import Path
from pinproof.build import layers, runtimes
from pinproof.engine import loading, running

tree = layers.Tree()
tree.add("bin/true", layers.File(runtimes.command(runtimes.Command.PAUSE), 0o755))
with running() as engine, tempfile.TemporaryDirectory() as work:
    layer = layers.write_layer(tree, Path(work) / "layer")
    image = layers.Image("localhost/pinproof/test:1", (layer,), {"Entrypoint": ["/bin/true"]})
    if not loading.has_image(engine, image.reference):
        loading._load(engine, image)
    options = ["--detach", "--privileged", "--cgroupns=private", "--network=pinproof", "--volume=/var"]
    subprocess.run(["docker", "run", *options, image.reference], env=engine.environment(), check=True, stdout=subprocess.DEVNULL)
    print(engine.env["DOCKER_HOST"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> own.Place:
    """A cache of its own, so that the engine is nobody else's, with the programs of the real one."""
    return isolate(tmp_path, monkeypatch)


@pytest.fixture
def user() -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a process that uses the engine and runs a container in it, until its standard input ends."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", USER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("unix:///run/pinproof-")
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


User = Callable[[], "subprocess.Popen[str]"]


def await_gone(home: own.Place) -> None:
    any(not home.run.exists() and not own.is_locked(home.supervisor) for _ in looks(GONE_SECONDS))


def stays(home: own.Place) -> bool:
    """Whether the engine goes on for a second, in which one that nobody wants would have ended."""
    return all(own.is_locked(home.supervisor) for _ in looks(STAYS_SECONDS))


def end(process: subprocess.Popen[str], how: str) -> None:
    """End a user of the engine in one of the ways in which a run can end."""
    if how == "normally":
        process.communicate()
    else:
        process.send_signal(signal.Signals[how])
        process.wait()


@pytest.mark.parametrize("how", ["normally", "SIGINT", "SIGTERM", "SIGKILL"])
def test_every_end_leaves_nothing(how: str, home: own.Place, user: User) -> None:
    """With a privileged container running: processes, mounts, networks, control groups and files are as they were."""
    before = machine(home)
    process = user()
    any("true" in machine(home).processes for _ in looks(STARTS_SECONDS))  # a container is its runtime's at first
    during = machine(home)

    end(process, how)
    await_gone(home)

    assert before == machine(home)
    assert not home.data.exists()
    assert {"dockerd", "containerd", "true"} <= set(during.processes)
    assert home.bridge in during.interfaces
    assert len(during.interfaces) == 2


def test_the_last_user_ends_it(home: own.Place, user: User) -> None:
    """Whoever started it may leave, or be killed, while others go on."""
    first, second = user(), user()
    env = {"DOCKER_HOST": home.socket, "PATH": programs.programs().path}
    first.kill()
    first.wait()
    goes_on = stays(home)

    answer = engines.ask("docker", env)
    end(second, "normally")
    await_gone(home)

    assert goes_on
    assert isinstance(answer, engines.Engine)
    assert not home.run.exists()


def test_a_kept_engine_goes_on_until_nobody_wants_it(home: own.Place, user: User) -> None:
    """For clusters that stay: the next run finds it, and says whether it stays on."""
    engine = engines.Engine("docker", {}, own=True)
    first = user()
    own.keep(engine, wanted=True)
    end(first, "normally")
    kept = stays(home)

    second = user()
    own.keep(engine, wanted=False)
    end(second, "normally")
    await_gone(home)

    assert kept
    assert not home.run.exists()


def test_what_a_killed_supervisor_leaves_is_removed_by_the_next(home: own.Place, user: User) -> None:
    """The engine dies with it at once; bridge, control groups and files wait for whoever starts one next."""
    before = machine(home)
    orphan = user()
    _supervisor(home).kill()
    any(machine(home).processes == before.processes for _ in looks(GONE_SECONDS))
    left = machine(home)

    end(orphan, "SIGKILL")
    end(user(), "normally")
    await_gone(home)

    assert left.processes == before.processes
    assert left.interfaces != before.interfaces
    assert before == machine(home)


class _Other:
    """A process that is not a child of this one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def kill(self) -> None:
        """Kill it and wait until it is gone, with what dies of that."""
        os.kill(self.pid, signal.SIGKILL)
        any(not Path(f"/proc/{self.pid}/exe").exists() for _ in looks(GONE_SECONDS))


def _supervisor(home: own.Place) -> _Other:
    """Who has the lock file of this engine's supervisor open."""
    for path in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found = path.resolve() == home.supervisor
        except OSError:
            continue
        if found:
            return _Other(int(path.parts[2]))
    raise AssertionError("there is no supervisor")

"""However a run on a kind cluster ends, nothing of it is left: on the engine, among processes, mounts, groups, interfaces."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pinproof import build
from pinproof.build import cache, node_image
from pinproof.build.kind_command import kind
from pinproof.build.runtimes import Command, command
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.engine import Engine, own, running
from pinproof.subjects.kind.cluster import Maker
from pinproof.subjects.kind.engine import Commands
from pinproof.subjects.kind.holding import Holdings
from pinproof.subjects.kind.subject import KEEP
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.waiting import looks
from tests.kind_runs import SPEC, containers, scenario_file
from tests.own_engine import isolate, machine

pytestmark = [pytest.mark.engine, pytest.mark.timeout(15 * 60)]

LOOK = 0.2
"""Seconds between two looks at what a run has done: nobody announces it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[own.Place]:
    """An engine that nobody else uses has its things here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(KEEP, raising=False)
        yield isolate(tmp_path_factory.mktemp("cache"), patch, "commands", "node-image", "node-base", "work")


@pytest.fixture(scope="module")
def engine(home: own.Place) -> Iterator[Engine]:
    """It runs, has the image, and has run a container: its own control groups come with the first."""
    del home
    with running() as found:
        node_image.build(DEFAULT_RELEASE, engine=found)
        yield found


def begin(place: Path) -> subprocess.Popen[bytes]:
    """A run of one scenario, in a process of its own."""
    command = [sys.executable, "-m", "pinproof", "replay", str(scenario_file(place)), "--subject", SPEC]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)})


def is_made(engine: Engine, nothing: list[str]) -> bool:
    """Whether a cluster is being made."""
    return containers(engine) != nothing


def is_ready(engine: Engine, nothing: list[str]) -> bool:
    """Whether a cluster serves a scenario."""
    del engine, nothing
    return any((cache.directory() / "kind").glob("*/ready.json"))


Moment = Callable[[Engine, list[str]], bool]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


@pytest.mark.parametrize(
    ("moment", "ending"), [(is_ready, None), *((moment, name) for moment in (is_made, is_ready) for name in SIGNALS)]
)
def test_nothing_is_left(
    home: own.Place, engine: Engine, tmp_path: Path, moment: Moment, ending: signal.Signals | None
) -> None:
    """Ctrl-C and SIGTERM clean up by themselves; after `kill -9` the next run does. None: it ends by itself."""
    before, nothing = machine(home), containers(engine)
    with ExitStack() as stack:
        run = begin(tmp_path)
        stack.callback(run.kill)
        for _ in looks(math.inf, pause=LOOK):
            if moment(engine, nothing):
                break
            assert run.poll() is None
        if ending:
            run.send_signal(ending)
        status = run.wait()

    assert (status == 0) == (ending is None)
    if ending is signal.SIGKILL:
        assert nothing != containers(engine)
        commands = Commands(engine.name, Timeouts(), engine.env)
        assert 1 == len(Holdings(Maker(commands, kind(), build.runtime(), command(Command.OCI_RUNTIME))).clean())
    assert nothing == containers(engine)
    assert before == machine(home)
    assert not [path for path in (cache.directory() / "kind").glob("*") if path.is_dir()]

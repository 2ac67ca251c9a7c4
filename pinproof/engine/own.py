"""A Docker engine of pinproof's own, for machines where none runs.

It lives in mount and process namespaces of its own, changes neither firewall nor settings of the machine, and is shared by all
processes that use it at a time. A supervisor (`supervisor.py`) watches a lock that every user holds: when the last one leaves,
or is killed, the engine ends and all it made is removed. What remains if the supervisor itself is killed is removed by whoever
next starts an engine.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock

from pinproof.build import cache
from pinproof.build.progress import Progress
from pinproof.engine import programs, traces
from pinproof.engine.engines import Engine, Refusal, ask
from pinproof.errors import SubjectError
from pinproof.waiting import looks

STEP = "start a container engine"
START_SECONDS = 60.0
END_SECONDS = 60.0
NEEDED_SPACE = 3 * cache.GIB
"""Bytes: an image and the nodes made of it."""

_SUPERVISORS: list[subprocess.Popen[bytes]] = []
"""Those that this process has started: they may outlive it, and are reaped if they do not."""

NETWORK = "pinproof"
SHOWN_LINES = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where an engine has its things; there is one for each cache directory."""

    name: str
    """Of its control groups; also the beginning of its files' names."""

    run: Path
    """Sockets, locks and logs; exists as long as the engine or its traces do."""

    data: Path
    """Images and containers."""

    @property
    def bridge(self) -> str:
        """The network interface of its containers; the kernel allows fifteen letters."""
        return f"pinp-{self.name[-8:]}"

    @property
    def users(self) -> Path:
        """Locked (shared) by everyone who uses the engine, and at its end (exclusively) by the supervisor."""
        return self.run / "users.lock"

    @property
    def supervisor(self) -> Path:
        """Locked by the supervisor while it lives."""
        return self.run / "supervisor.lock"

    @property
    def log(self) -> Path:
        """What dockerd writes."""
        return self.run / "dockerd.log"

    @property
    def kept(self) -> Path:
        """There while the engine is to go on although nobody uses it."""
        return self.run / "kept"

    @property
    def missing(self) -> Path:
        """Names the directories outside that were not there before."""
        return self.run / "missing"

    @property
    def socket(self) -> str:
        """Where it listens."""
        return f"unix://{self.run / 'docker.sock'}"


def place() -> Place:
    """Where the engine of this cache directory has its things."""
    home = cache.directory()
    name = f"pinproof-{cache.digest(str(home))[:8]}"
    return Place(name, Path("/run") / name, home / "engine")


def hindrance() -> str:
    """Why no engine can be started here; empty if one can, as far as can be told without trying."""
    if sys.platform != "linux":
        return f"this is {sys.platform}"
    if os.geteuid() != 0:
        return "that needs root"
    if not shutil.which("unshare"):
        return "there is no unshare (util-linux) on PATH"
    if not shutil.which("dockerd") and not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return "there is no dockerd on PATH, and no apt to fetch one"
    return ""


def possible() -> bool:
    """Whether an engine may be started here."""
    return not hindrance()


@contextmanager
def running() -> Iterator[Engine]:
    """The engine of pinproof's own, started if nobody uses one yet.

    Raises:
        SubjectError: It cannot be started.
    """
    where = place()
    users, engine = _join(where)
    try:
        yield engine
    finally:
        users.close()
        _await_end(where)


def keep(engine: Engine, *, wanted: bool) -> None:
    """Say whether an engine goes on when nobody uses it any more, for clusters that are to stay; called by who uses it.

    One that pinproof did not start goes on anyway.
    """
    if not engine.own:
        return
    kept = place().kept
    if wanted:
        kept.touch()
    else:
        kept.unlink(missing_ok=True)


def _join(where: Place) -> tuple[IO[str], Engine]:
    """Become a user of the engine: of the one that runs, or of a new one."""
    cache.directory().mkdir(parents=True, exist_ok=True)
    needed = programs.programs()
    with FileLock(cache.directory() / "engine.lock"):
        users = _joined(where)
        if users is None:
            remove_traces(where)
            users = _start(where, needed)
        try:
            return users, _answering(where, needed)
        except BaseException:
            users.close()
            raise


def _joined(where: Place) -> IO[str] | None:
    """Hold the users' lock of an engine that runs; None if none does. One that is about to end is waited for."""
    for _ in looks(END_SECONDS):
        if not is_locked(where.supervisor):
            return None
        try:
            users = where.users.open("a")
        except FileNotFoundError:
            return None
        if lock(users, fcntl.LOCK_SH):
            return users
        users.close()
    raise _broken(where, f"the engine before it has not ended in {END_SECONDS:.0f} s")


def _start(where: Place, needed: programs.Programs) -> IO[str]:
    """Start the supervisor, as a user of it."""
    cache.require_space(STEP, NEEDED_SPACE)
    try:
        where.run.mkdir(parents=True)
        users = where.users.open("a")
    except OSError as error:
        raise SubjectError(
            STEP, f"{where.run}: {error.strerror}", fault="this machine", remedy="run as root"
        ) from error
    lock(users, fcntl.LOCK_SH)
    env = {**os.environ, **needed.env, "PATH": needed.path}
    with where.log.open("ab") as log:
        _SUPERVISORS.append(
            subprocess.Popen(
                [sys.executable, "-m", "pinproof.engine.supervisor"],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the users
            )
        )
    return users


def _answering(where: Place, needed: programs.Programs) -> Engine:
    """Wait until the engine answers and has its network."""
    env = {
        "DOCKER_HOST": where.socket,
        "KIND_EXPERIMENTAL_PROVIDER": "docker",
        "KIND_EXPERIMENTAL_DOCKER_NETWORK": NETWORK,
        "PATH": needed.path,
    }
    with Progress(STEP, quick=True) as progress:
        for _ in looks(START_SECONDS):
            answer = ask("docker", env, own=True)
            if not isinstance(answer, Refusal):
                _make_network(where, answer)
                return answer
            if (where.run / "ended").exists():
                break
            progress.beat()
    raise _broken(where, "dockerd does not answer")


def _make_network(where: Place, engine: Engine) -> None:
    """The network that kind is told to use: its bridge has a name by which it is known again."""
    if (traces.INTERFACES / where.bridge).exists():
        return
    option = f"com.docker.network.bridge.name={where.bridge}"
    command = ["docker", "network", "create", "--driver", "bridge", "--opt", option, NETWORK]
    done = subprocess.run(command, env=engine.environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _broken(where, f"its network cannot be made: {done.stderr.strip()}")


def _broken(where: Place, what: str) -> SubjectError:
    lines = where.log.read_text(errors="replace").splitlines() if where.log.is_file() else []
    return SubjectError(
        STEP,
        "\n".join([what, *(f"    {line}" for line in lines[-SHOWN_LINES:])]),
        fault="this machine: a container without --privileged, or a kernel without overlayfs, bridges or control groups",
        remedy="start Docker or Podman yourself, or give the container that this runs in --privileged",
    )


def _await_end(where: Place) -> None:
    """Wait until the engine is gone, unless somebody else uses it."""
    for _ in looks(END_SECONDS):
        if not where.run.exists() or where.kept.exists() or _used(where):
            break
    _SUPERVISORS[:] = [process for process in _SUPERVISORS if process.poll() is None]


def _used(where: Place) -> bool:
    """Whether somebody holds the users' lock who is not about to end the engine."""
    try:
        with where.users.open("a") as users:
            if not lock(users, fcntl.LOCK_SH):
                return False  # the supervisor, at its end
            return not lock(users, fcntl.LOCK_EX)
    except FileNotFoundError:
        return False


def remove_traces(where: Place) -> None:
    """Remove what an engine left whose supervisor was killed; its processes died with that."""
    traces.remove_bridge(where.bridge)
    traces.remove_control_groups(where.name)
    if where.missing.is_file():
        for path in where.missing.read_text().splitlines():
            traces.remove_empty(Path(path))
    traces.remove_files(where.data, where.run)


def lock(file: IO[str], kind: int) -> bool:
    """Take a lock if nobody stands against it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether some process holds the file's lock."""
    try:
        with path.open() as file:
            return not lock(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False

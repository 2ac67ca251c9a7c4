"""What a container engine is asked for, by its command line, which Docker and Podman share."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pinproof.errors import SubjectError
from pinproof.subjects.kubelet.timeouts import Timeouts, Wait
from pinproof.waiting import looks

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
"""kind marks the containers of a cluster with its name."""

_WORDS = 2000
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


_RUNNING = ("running", "Up ")
"""How the state of a container that runs begins, as Docker and as Podman say it."""


@dataclass(frozen=True, slots=True)
class Commands:
    """The engine's command line."""

    name: str
    """`docker` or `podman`."""

    timeouts: Timeouts
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of every command."""

    @property
    def environment(self) -> dict[str, str]:
        """That of a command."""
        return {**os.environ, **self.env}

    def inside(self, node: str, *command: str) -> list[str]:
        """The command line that runs a command in a node, with our standard input."""
        return [self.name, "exec", "-i", node, *command]

    def run(self, step: str, wait: Wait, *arguments: str, given: bytes = b"") -> str:
        """Run a command of the engine and return what it says. Raises SubjectError with its last words."""
        return run(step, [self.name, *arguments], self, wait, given=given)

    def containers(self, cluster: str) -> dict[str, bool]:
        """The containers of a cluster, and whether each runs."""
        said = self.run(
            "look for the cluster",
            "engine",
            "ps",
            "--all",
            "--filter",
            f"label={CLUSTER_LABEL}={cluster}",
            "--format",
            "{{.Names}} {{.State}}",
        )
        pairs = (line.split(maxsplit=1) for line in said.splitlines() if line.strip())
        return {name: state.startswith(_RUNNING) for name, state in pairs}

    def cut_power(self, node: str) -> None:
        """Take a node's power and give it back: nothing in it is told to end. Raises SubjectError."""
        step = f"cut the power of {node}"
        self.run(step, "power", "restart", "--time", "0", node)
        for more in looks(self.timeouts.seconds("power")):
            try:
                self.run(step, "engine", "exec", node, "systemctl", "is-active", "containerd")
            except SubjectError:
                if not more:
                    raise
            else:
                return


def run(step: str, command: Sequence[str], engine: Commands, wait: Wait, *, given: bytes = b"") -> str:
    """Run a command with the engine's environment. Raises SubjectError with its last words."""
    seconds = engine.timeouts.seconds(wait)
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=engine.environment,
            preexec_fn=_die_with_us,
            start_new_session=True,  # Ctrl-C is for us alone: what was begun is ended, and cleaned up, in order
        )
    except subprocess.TimeoutExpired as error:
        words = _last(error.stderr or b"", error.stdout or b"")
        raise _failed(step, f"the wait {wait!r} expired after {seconds:g} s; last words: {words}") from error
    except OSError as error:
        raise _failed(step, f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        raise _failed(step, f"{command[0]} ended with {done.returncode}: {_last(done.stderr, done.stdout)}")
    return done.stdout.decode(errors="replace")


def _die_with_us() -> None:
    """In a child: be killed when the parent is. A half-made cluster is what the next run finds, not one still in the making."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _last(*texts: bytes) -> str:
    return "\n".join(text.decode(errors="replace").strip()[-_WORDS:] for text in texts if text.strip()) or "none"


def _failed(step: str, message: str) -> SubjectError:
    for signs, fault, remedy in _KNOWN:
        if any(sign in message for sign in signs):
            return SubjectError(step, message, fault=fault, remedy=remedy)
    return SubjectError(
        step,
        message,
        fault="the container engine or the cluster on it",
        remedy="run `pinproof doctor`; on a slow machine try --slow 3",
    )


_KNOWN = (
    (
        ("Cannot connect to the Docker daemon",),
        "this machine: no engine runs",
        "start Docker, or let pinproof start one as root",
    ),
    (
        ("no space left on device",),
        "this machine's disk",
        "make room: `docker system df` shows what takes it",
    ),
    (
        ("port is already allocated", "address already in use"),
        "another process of this machine",
        "run again: another port is chosen",
    ),
    (("No such image",), "the node image", "give another version or ?image="),
    (
        ("pull access denied", "manifest unknown"),
        "the node image, or the registry",
        "give an image that exists, or build one: pinproof build node-image",
    ),
    (
        ("failed to pull image",),
        "this machine, which has no way to a registry, or the node image",
        "build an image without one: pinproof build node-image",
    ),
    (
        ("permission denied while trying to connect", "dial unix"),
        "the permissions of this user",
        "add the user to the group docker, or run as root",
    ),
    (
        ("permission denied", "operation not permitted"),
        "the engine, or the container that it runs in itself",
        "use an engine that may run privileged containers, or let pinproof start one: export PINPROOF_ENGINE=own",
    ),
)
"""What an engine says, one of several, the likeliest first → whose fault it is, and the way out."""

"""Finds a container engine that can run the nodes of a kind cluster: Docker, else Podman, else a Docker of pinproof's own.

`PINPROOF_ENGINE` chooses among them: `docker`, `podman`, or `own`, which starts one although another runs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from pinproof.errors import InputError, Problem, SubjectError

STEP = "find a container engine"
SECONDS = 20

Name = Literal["docker", "podman"]
NAMES: tuple[Name, ...] = ("docker", "podman")
_REFUSED = re.compile(r"permission denied|Got permission denied", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine that answers."""

    name: Name
    env: Mapping[str, str]
    """What its command line, and `kind`, must find in their environment besides what is there already."""

    version: str = ""
    own: bool = False
    """Whether pinproof started it, and ends it when nobody uses it any more."""

    def environment(self) -> dict[str, str]:
        """The environment of this process with the engine's in it."""
        return {**os.environ, **self.env}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An engine that is there and does not answer."""

    name: Name
    said: str
    remedy: str


@contextmanager
def running() -> Iterator[Engine]:
    """An engine for as long as it is needed.

    One that is found is left as it is. One of pinproof's own is shared by all processes that use it at a time, and is gone, with
    all it made, when the last of them leaves or dies.

    Raises:
        SubjectError: There is none, or none that answers, and none can be started.
    """
    wanted = chosen()
    engine, refusals = (None, ()) if wanted == "own" else found(wanted)
    if engine is not None:
        yield engine
        return
    from pinproof.engine import own

    if wanted in NAMES or not own.possible():
        raise unavailable(refusals, own.hindrance(), wanted)
    with own.running() as engine:
        yield engine


def chosen() -> str:
    """The engine that the environment asks for; empty if any will do.

    Raises:
        InputError: It asks for one that is not known.
    """
    wanted = os.environ.get("PINPROOF_ENGINE", "")
    if wanted not in ("", "docker", "podman", "own"):
        raise InputError("PINPROOF_ENGINE", Problem("", f"{wanted!r} is no engine; give docker, podman or own"))
    return wanted


def found(wanted: str = "") -> tuple[Engine | None, tuple[Refusal, ...]]:
    """The first engine that answers; and those before it that are there and do not."""
    refusals: list[Refusal] = []
    for name in NAMES:
        if wanted in ("", name) and shutil.which(name):
            answer = ask(name, {})
            if isinstance(answer, Engine):
                return answer, tuple(refusals)
            refusals.append(answer)
    return None, tuple(refusals)


def ask(name: Name, env: Mapping[str, str], *, own: bool = False) -> Engine | Refusal:
    """Whether an engine answers, asked through its command line."""
    form = "{{.ServerVersion}}" if name == "docker" else "{{.Version.Version}}"
    try:
        done = subprocess.run(
            [name, "info", "--format", form],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Refusal(name, str(error), f"see what `{name} info` says")
    version = done.stdout.strip()
    if done.returncode == 0 and version:
        provider = {"KIND_EXPERIMENTAL_PROVIDER": name}
        return Engine(name, {**provider, **env}, version, own)
    return _refusal(name, (done.stderr.strip().splitlines() or ["no answer"])[-1])


def _refusal(name: Name, said: str) -> Refusal:
    if _REFUSED.search(said):
        return Refusal(
            name,
            said,
            f"join the group that may use it: sudo usermod -aG {name} $USER, and log in anew; or run as root",
        )
    if name == "docker":
        return Refusal(name, said, "start it: sudo systemctl start docker")
    return Refusal(name, said, "see what `podman info` says")


def unavailable(refusals: tuple[Refusal, ...], hindrance: str, wanted: str = "") -> SubjectError:
    """The error for a machine without an engine, or without the one that is asked for."""
    if refusals:
        first = refusals[0]
        message = f"{first.name} is installed and does not answer: {first.said}"
        return SubjectError(STEP, message, fault=f"{first.name} on this machine", remedy=first.remedy)
    if wanted in NAMES:
        message = f"PINPROOF_ENGINE asks for {wanted}, which is not on PATH"
        return SubjectError(STEP, message, fault="this machine", remedy=f"install {wanted}, or unset PINPROOF_ENGINE")
    return SubjectError(
        STEP,
        f"neither docker nor podman is on PATH, and none can be started here: {hindrance}",
        fault="this machine",
        remedy="install Docker or Podman; or run as root on Debian or Ubuntu, where pinproof starts one of its own",
    )

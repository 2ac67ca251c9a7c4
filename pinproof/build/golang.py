"""Runs the go command, with a heartbeat, and so that it never outlives the process that asked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pinproof.build.progress import Progress

GoVersion = tuple[int, int, int]
POLL_SECONDS = 0.2
GRACE_SECONDS = 5.0

TIED = (
    *(sys.executable, "-I", "-S", "-c"),
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])",
)
"""Runs what follows so that the kernel kills it when its parent dies: prctl(PR_SET_PDEATHSIG, SIGKILL)."""

_PACKAGE = re.compile(r"^[\w.~/-]+$")
_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")
_DIRECTIVE = re.compile(r"^go (\d+)\.(\d+)(?:\.(\d+))?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Go:
    """A Go toolchain on this machine."""

    executable: Path
    version: GoVersion

    def __str__(self) -> str:
        return "go" + ".".join(map(str, self.version))


@dataclass(frozen=True, slots=True)
class Finished:
    """How a go command ended."""

    code: int
    output: str
    """What it wrote to standard output."""

    messages: str
    """What it wrote to standard error, without the names of packages being compiled."""


def parse_version(text: str) -> GoVersion | None:
    """The version in a text such as `go version go1.26.8 linux/amd64`; None if there is none."""
    return _numbers(_VERSION.search(text))


def directive(go_mod: str) -> GoVersion:
    """The Go version that a go.mod file asks for at least; 1.16 if it is silent, as the go command has it."""
    return _numbers(_DIRECTIVE.search(go_mod)) or (1, 16, 0)


def run(
    go: Go, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, progress: Progress | None = None
) -> Finished:
    """Run `go ARGUMENTS` to its end; the caller judges the exit code.

    The toolchain never downloads another one of itself, and ends when this process ends, however that happens.
    """
    process = subprocess.Popen(
        [*TIED, str(go.executable), *arguments],
        cwd=cwd,
        env={**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "on", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    output: list[str] = []
    messages: list[str] = []
    readers = [
        threading.Thread(target=_read, args=(process.stdout, output, None), daemon=True),
        threading.Thread(target=_read, args=(process.stderr, messages, progress), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        _wait(process, progress)
    except BaseException:
        _end(process)
        raise
    for reader in readers:
        reader.join()
    return Finished(process.returncode, "".join(output), "".join(m for m in messages if not _PACKAGE.match(m)))


def _wait(process: subprocess.Popen[str], progress: Progress | None) -> None:
    while True:
        try:
            process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if progress is not None:
                progress.beat()
        else:
            return


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)  # on this one go removes its own temporary files
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _read(stream: IO[str] | None, into: list[str], progress: Progress | None) -> None:
    with stream or nullcontext(()) as lines:
        for line in lines:
            into.append(line)
            if progress is not None:
                progress.note(line.strip())


def _numbers(found: re.Match[str] | None) -> GoVersion | None:
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None

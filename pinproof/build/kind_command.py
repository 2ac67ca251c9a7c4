"""The `kind` command: the machine's own if it is new enough, else built from its Go module."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from pinproof.build import cache, lock, modules, toolchain
from pinproof.build.modules import Commands

OLDEST = (0, 27, 0)
"""The first whose node images have containerd 2, as the home-built ones do."""

MODULE = "sigs.k8s.io/kind"
SECONDS = 20

_VERSION = re.compile(r"kind v(\d+)\.(\d+)\.(\d+)")


def kind() -> Path:
    """Return the `kind` command, built if there is none that can be used.

    Raises:
        SubjectError: It cannot be built.
    """
    own = on_path()
    if own and own[1] >= OLDEST:
        return own[0]
    commands = Commands(lock.read().module(MODULE), (("kind", MODULE),))
    return modules.built(commands, toolchain.find(toolchain.WHEEL_VERSION)) / "kind"


def on_path() -> tuple[Path, tuple[int, int, int]] | None:
    """The machine's own `kind` and its version; None if there is none, or it does not run."""
    found = shutil.which("kind")
    if not found:
        return None
    try:
        done = subprocess.run([found, "version"], capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = _VERSION.search(done.stdout)
    return (Path(found), (int(version[1]), int(version[2]), int(version[3]))) if version else None


def is_built() -> bool:
    """Whether it has been built before."""
    return any((cache.directory() / "commands").glob("kind-*/kind"))

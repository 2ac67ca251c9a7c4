"""Builds the commands under `driver/`.

The recording runtime boots a kubelet and plays its container runtime. Real nodes are given an OCI runtime that records, and
the process of a pod's sandbox.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pinproof
from pinproof.build import cache, faults, golang, toolchain
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError

STEP = "build the recording runtime"
NEEDED_SPACE = cache.GIB // 2


class Command(StrEnum):
    """The commands by name; the component driver is not among them, which is each release's own."""

    RUNTIME = "pinproof-runtime"
    """The node agent, with the recording runtime."""

    OCI_RUNTIME = "pinproof-oci"
    """Records on a real node what the kernel would be told, and then becomes runc."""

    PAUSE = "pinproof-pause"
    """Runs in the sandbox of a pod on a home-built node."""

    FIRST = "pinproof-init"
    """The first process of a virtual machine."""

    WORKLOAD = "pinproof-workload"
    """Runs in the containers of a virtual machine."""


def command(which: Command) -> Path:
    """Return a command's binary, built with the others if these sources are not in the cache yet.

    Raises:
        SubjectError: It cannot be built.
    """
    return _built() / which


def runtime() -> Path:
    """Return the recording runtime's binary. Raises SubjectError as `command` does."""
    return command(Command.RUNTIME)


def _built() -> Path:
    """The directory with all of them."""
    source = driver_directory()
    go = toolchain.find(golang.directive((source / "go.mod").read_text()))
    files = sorted(file for file in source.rglob("*") if file.suffix in {".go", ".mod", ".sum"})
    files = [file for file in files if not file.is_relative_to(source / "component")]
    contents = [part for file in files for part in (str(file.relative_to(source)), file.read_bytes())]
    final = cache.directory() / "runtime" / cache.digest(str(go), *contents)

    def make(work: Path) -> None:
        cache.require_space(STEP, NEEDED_SPACE)
        env = {
            "CGO_ENABLED": "0",
            "GOOS": "linux",
            "GOARCH": "",
            "GOWORK": "off",
            "GOFLAGS": "-mod=readonly -buildvcs=false",
            "GOTMPDIR": str(work / "tmp"),
        }
        packages = [f"./cmd/{each}" for each in Command]
        arguments = ["build", "-v", "-trimpath", "-ldflags", "-s -w", "-o", f"{work / 'out'}/", *packages]
        with Progress(f"{STEP} with {go}") as progress:
            finished = golang.run(go, *arguments, cwd=source, env=env, progress=progress)
            if finished.code != 0:
                raise faults.explain(STEP, finished, author="pinproof's own driver")

    return cache.build_once(final, make, what=STEP)


def driver_directory() -> Path:
    """The Go sources of the driver: inside the installed package, or beside it in a checkout.

    Raises:
        SubjectError: They are not there.
    """
    package = Path(pinproof.__file__).resolve().parent
    for place in (package / "_data" / "driver", package.parent / "driver"):
        if (place / "go.mod").is_file():
            return place
    raise SubjectError(
        STEP, "its Go sources are not there", fault="this installation of pinproof", remedy="install pinproof again"
    )

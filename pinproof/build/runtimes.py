"""Builds the commands under `driver/`.

The recording runtime boots a kubelet and plays its container runtime. Real nodes are given an OCI runtime that records, and
the process of a pod's sandbox.
"""

from __future__ import annotations

from pathlib import Path

import pinproof
from pinproof.build import cache, faults, golang, toolchain
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError

STEP = "build the recording runtime"
COMMAND = "pinproof-runtime"
OCI_COMMAND = "pinproof-oci"
PAUSE_COMMAND = "pinproof-pause"
FIRST_COMMAND = "pinproof-init"
WORKLOAD_COMMAND = "pinproof-workload"
NEEDED_SPACE = cache.GIB // 2


def runtime() -> Path:
    """Return the recording runtime's binary, built if these sources of it are not in the cache yet.

    Raises:
        SubjectError: It cannot be built.
    """
    return _built() / COMMAND


def oci_runtime() -> Path:
    """Return the OCI runtime that records on a real node what the kernel would be told, and then becomes runc.

    Raises:
        SubjectError: It cannot be built.
    """
    return _built() / OCI_COMMAND


def pause() -> Path:
    """Return what runs in the sandbox of a pod on a home-built node.

    Raises:
        SubjectError: It cannot be built.
    """
    return _built() / PAUSE_COMMAND


def first() -> Path:
    """Return the first process of a virtual machine.

    Raises:
        SubjectError: It cannot be built.
    """
    return _built() / FIRST_COMMAND


def workload() -> Path:
    """Return what runs in the containers of a virtual machine.

    Raises:
        SubjectError: It cannot be built.
    """
    return _built() / WORKLOAD_COMMAND


def _built() -> Path:
    """The directory with all of the driver's commands but the component driver, which is each release's own."""
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
        packages = [f"./cmd/{name}" for name in (COMMAND, OCI_COMMAND, PAUSE_COMMAND, FIRST_COMMAND, WORKLOAD_COMMAND)]
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

"""Builds commands of Go modules: what a node consists of besides the kubelet, and `kind` itself.

A small module of our own requires the one that is wanted, and nothing else. Go then takes of every other module the version
that the wanted one names, so that the version and the checksum of the latter decide everything that is compiled.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinproof.build import cache, faults, golang, releases, toolchain
from pinproof.build.compiling import OWN_MODULE
from pinproof.build.golang import Go
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError

RECIPE = "1"
"""Part of every cache key; raise it when a change of how commands are built must have all of them built anew."""

NEEDED_SPACE = 2 * cache.GIB
"""Bytes: the modules, Go's build cache and the binaries of the largest of them."""


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module as the lock file names it."""

    path: str
    """`sigs.k8s.io/kind`."""

    version: str
    """`v0.33.0`."""

    checksum: str = ""
    """What go.sum says of it, `h1:` and the rest; empty if only Go's own checksum database is to be asked."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands of one module, built together."""

    module: Module
    packages: tuple[tuple[str, str], ...]
    """What each binary is called, and the import path of its main package."""

    tags: tuple[str, ...] = ()
    stamps: tuple[tuple[str, str], ...] = ()
    """Variables that the linker sets: (`main.version`, `1.2.3`)."""

    title: str = ""
    """What messages call them, if not by the first."""

    @property
    def step(self) -> str:
        """As messages begin: `build kind v0.33.0`."""
        return f"build {self.title or self.name} {self.module.version}"

    @property
    def name(self) -> str:
        """The first of them."""
        return self.packages[0][0]

    def key(self, go: Go) -> str:
        """A digest of all that decides what comes out."""
        stamps = [f"{name}={value}" for name, value in self.stamps]
        packages = [part for package in self.packages for part in package]
        module = (self.module.path, self.module.version, self.module.checksum)
        return cache.digest(RECIPE, str(go), *module, *packages, "tags", *self.tags, "stamps", *stamps)


def built(commands: Commands, go: Go) -> Path:
    """The directory with the commands' binaries, built if they are not in the cache yet.

    Raises:
        SubjectError: They cannot be built, or the module is not the one that the lock file means.
    """

    def make(work: Path) -> None:
        cache.require_space(commands.step, NEEDED_SPACE)
        _build(commands, work / "out", work)

    final = cache.directory() / "commands" / f"{commands.name}-{commands.module.version}-{commands.key(go)}"
    return cache.build_once(final, make, what=commands.step)


def _build(commands: Commands, target: Path, work: Path) -> None:
    """Build the commands into the directory `target`.

    Args:
        commands: What to build.
        target: Where the binaries go; exists.
        work: A directory of this build alone.

    Raises:
        SubjectError: They cannot be built, or the module is not the one that the lock file means.
    """
    module = commands.module
    found = download(module, work)
    oldest = golang.directive(Path(found["GoMod"]).read_text())
    go = toolchain.find(oldest)
    main = work / commands.name
    main.mkdir()
    directive = f"go {'.'.join(map(str, oldest))}"
    (main / "go.mod").write_text(
        f"module pinproof.dev/build\n\n{directive}\n\nrequire {module.path} {module.version}\n"
    )
    shutil.copyfile(Path(found["Dir"]) / "go.sum", main / "go.sum")
    (main / "go.sum").chmod(0o644)
    compile_all(commands, go, target, cwd=main, temporary=work / "tmp")


def compile_all(commands: Commands, go: Go, target: Path, *, cwd: Path, temporary: Path) -> None:
    """Run `go build` for each of the commands in the main module `cwd`.

    Raises:
        SubjectError: One does not build.
    """
    env = {"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": "", "GOTMPDIR": str(temporary), **OWN_MODULE}
    with Progress(f"{commands.step} with {go}", hint="minutes the first time, seconds from then on") as progress:
        for name, package in commands.packages:
            arguments = build_arguments(commands, package, target / name)
            finished = golang.run(go, *arguments, cwd=cwd, env=env, progress=progress)
            if finished.code != 0:
                raise faults.explain(commands.step, finished, author="this release, with this Go,")


def build_arguments(commands: Commands, package: str, binary: Path) -> Sequence[str]:
    """What go is told to build one command."""
    linker = ["-s", "-w", *(f"-X {name}={value}" for name, value in commands.stamps)]
    tags = ["-tags", ",".join(commands.tags)] if commands.tags else []
    return ["build", "-v", "-trimpath", *tags, "-ldflags", " ".join(linker), "-o", str(binary), package]


def download(module: Module, work: Path) -> Mapping[str, str]:
    """Where a module's files lie, as `go mod download -json` tells.

    Raises:
        SubjectError: It cannot be had, or its checksum is another than the lock file's.
    """
    found = releases.download(toolchain.find(), module.path, module.version, work)
    if module.checksum and found.get("Sum") != module.checksum:
        raise SubjectError(
            f"download {module.path} {module.version}",
            f"its checksum is {found.get('Sum')}, the lock file says {module.checksum}",
            fault="the module proxy, or the lock file",
            remedy="check `go env GOPROXY GONOSUMDB GOFLAGS`; a proxy must serve the public module unchanged",
        )
    return found

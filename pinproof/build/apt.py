"""Programs of Debian packages for this machine: fetched by its own apt and unpacked into the cache, which installs nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinproof.build import cache
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError

MULTIARCH = "usr/lib/x86_64-linux-gnu"
_LIBRARIES = (MULTIARCH, MULTIARCH.removeprefix("usr/"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Packages that belong together."""

    name: str
    """Directory in the cache: `engine-programs`."""

    step: str
    """As messages begin: `fetch a container engine`."""

    packages: Sequence[str]
    remedy: str
    """What a user can do where apt cannot fetch them."""

    space: int = cache.GIB
    finish: Callable[[Path], None] = lambda root: None
    """What maintainer scripts would have done with the unpacked files."""


def unpacked(wanted: Wanted) -> Path:
    """The directory with the packages' files, and those that this machine lacks of what they depend on.

    Raises:
        SubjectError: They cannot be had.
    """
    system = Path("/etc/os-release")
    final = cache.directory() / wanted.name / cache.digest("1", system.read_bytes() if system.is_file() else b"")
    return cache.build_once(final, lambda work: _fetch(wanted, work), what=wanted.step)


def library_path(root: Path) -> str:
    """`LD_LIBRARY_PATH` for unpacked programs."""
    return ":".join(filter(None, [os.environ.get("LD_LIBRARY_PATH", ""), *(str(root / name) for name in _LIBRARIES)]))


def search_path() -> str:
    """PATH with the directories of administrators, which a user's lacks."""
    own = os.environ.get("PATH", "/usr/bin:/bin").split(":")
    return ":".join([*own, *(folder for folder in ("/usr/local/sbin", "/usr/sbin", "/sbin") if folder not in own)])


def _fetch(wanted: Wanted, work: Path) -> None:
    """Let apt work out what this machine lacks, and unpack that."""
    cache.require_space(wanted.step, wanted.space)
    for folder in ("lists/partial", "archives/partial"):
        (work / folder).mkdir(parents=True)
    with Progress(f"{wanted.step} ({', '.join(wanted.packages)})"):
        options = ["-o", f"Dir::Cache={work}", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"]
        download = [*options, "install", "--yes", "--no-install-recommends", "--download-only", *wanted.packages]
        if _apt(*download).returncode != 0:  # the lists may be missing, or old
            own = ["-o", f"Dir::State::lists={work / 'lists'}"]
            for command in ([*options, *own, "update"], [*own, *download]):
                done = _apt(*command)
            if done.returncode != 0:
                raise _unavailable(wanted, done.stderr)
        for package in sorted((work / "archives").glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", str(package), str(work / "out")], check=True)
    wanted.finish(work / "out")


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", *arguments], capture_output=True, text=True, env=env, check=False)


def _unavailable(wanted: Wanted, said: str) -> SubjectError:
    if "No space left on device" in said or "enough free space" in said:
        return cache.disk_full(wanted.step, str(cache.directory()))
    lines = "\n".join(line for line in said.splitlines() if line.startswith("E:"))
    problem = f"apt cannot fetch {', '.join(wanted.packages)}\n{lines}"
    return SubjectError(wanted.step, problem, fault="the network", remedy=wanted.remedy)

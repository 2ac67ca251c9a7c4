"""The programs of a Docker engine: the machine's own, or Debian's packages unpacked into the cache, which installs nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pinproof.build import cache
from pinproof.build.progress import Progress
from pinproof.errors import SubjectError

STEP = "fetch a container engine"
PACKAGES = ("docker.io", "iptables")
NEEDED = ("docker", "dockerd", "containerd", "runc", "iptables")
NEEDED_SPACE = cache.GIB
MULTIARCH = "usr/lib/x86_64-linux-gnu"


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs are."""

    path: str
    """PATH with their directories in it."""

    env: Mapping[str, str]
    """What else they need in their environment."""


def programs() -> Programs:
    """The programs, fetched if this machine lacks one of them.

    Raises:
        SubjectError: They cannot be had.
    """
    if all(shutil.which(name, path=_path()) for name in NEEDED):
        return Programs(_path(), {})
    root = _fetched()
    folders = [str(root / name) for name in ("usr/sbin", "usr/bin")]
    libraries = root / MULTIARCH
    env = {
        "LD_LIBRARY_PATH": ":".join(filter(None, [os.environ.get("LD_LIBRARY_PATH", ""), str(libraries)])),
        "XTABLES_LIBDIR": str(libraries / "xtables"),
    }
    return Programs(":".join([_path(), *folders]), env)  # the machine's own first


def _path() -> str:
    """PATH with the directories of administrators, which a user's lacks."""
    own = os.environ.get("PATH", "/usr/bin:/bin").split(":")
    return ":".join([*own, *(folder for folder in ("/usr/local/sbin", "/usr/sbin", "/sbin") if folder not in own)])


def _fetched() -> Path:
    system = Path("/etc/os-release")
    final = cache.directory() / "engine-programs" / cache.digest("1", system.read_bytes() if system.is_file() else b"")
    return cache.build_once(final, _fetch, what=STEP)


def _fetch(work: Path) -> None:
    """Let apt work out what this machine lacks, and unpack that."""
    cache.require_space(STEP, NEEDED_SPACE)
    for folder in ("lists/partial", "archives/partial"):
        (work / folder).mkdir(parents=True)
    with Progress(f"{STEP} ({', '.join(PACKAGES)})"):
        options = ["-o", f"Dir::Cache={work}", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"]
        download = [*options, "install", "--yes", "--no-install-recommends", "--download-only", *PACKAGES]
        if _apt(*download).returncode != 0:  # the lists may be missing, or old
            own = ["-o", f"Dir::State::lists={work / 'lists'}"]
            for command in ([*options, *own, "update"], [*own, *download]):
                done = _apt(*command)
            if done.returncode != 0:
                raise _unavailable(done.stderr)
        for package in sorted((work / "archives").glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", str(package), str(work / "out")], check=True)
    for name in ("iptables", "ip6tables"):  # a maintainer script would have made the links
        link = work / "out/usr/sbin" / name
        if not link.exists() and link.with_name("xtables-nft-multi").exists():
            link.symlink_to("xtables-nft-multi")


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", *arguments], capture_output=True, text=True, env=env, check=False)


def _unavailable(said: str) -> SubjectError:
    if "No space left on device" in said or "enough free space" in said:
        return cache.disk_full(STEP, str(cache.directory()))
    lines = "\n".join(line for line in said.splitlines() if line.startswith("E:"))
    remedy = "check apt's settings and proxies, or install Docker or Podman"
    return SubjectError(STEP, f"apt cannot fetch {', '.join(PACKAGES)}\n{lines}", fault="the network", remedy=remedy)

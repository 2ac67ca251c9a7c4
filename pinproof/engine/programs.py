"""The programs of a Docker engine: the machine's own, or Debian's packages unpacked into the cache, which installs nothing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pinproof.build import apt

STEP = "fetch a container engine"
PACKAGES = ("docker.io", "iptables")
NEEDED = ("docker", "dockerd", "containerd", "runc", "iptables")


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
    own = apt.search_path()
    if all(shutil.which(name, path=own) for name in NEEDED):
        return Programs(own, {})
    remedy = "check apt's settings and proxies, or install Docker or Podman"
    root = apt.unpacked(apt.Wanted("engine-programs", STEP, PACKAGES, remedy, finish=_link))
    folders = [str(root / name) for name in ("usr/sbin", "usr/bin")]
    env = {"LD_LIBRARY_PATH": apt.library_path(root), "XTABLES_LIBDIR": str(root / apt.MULTIARCH / "xtables")}
    return Programs(":".join([own, *folders]), env)  # the machine's own first


def _link(root: Path) -> None:
    """Make the links that a maintainer script would have made."""
    for name in ("iptables", "ip6tables"):
        link = root / "usr/sbin" / name
        if not link.exists() and link.with_name("xtables-nft-multi").exists():
            link.symlink_to("xtables-nft-multi")

"""QEMU: the machine's own, or Debian's packages unpacked into the cache, which installs nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pinproof.build import apt

EMULATOR: Final = "qemu-system-x86_64"
DISKS: Final = "qemu-img"
PACKAGES: Final = ("qemu-system-x86", "qemu-utils")
_STEP: Final = "fetch QEMU"
_FIRMWARE: Final = ("usr/share/qemu", "usr/share/seabios")


@dataclass(frozen=True, slots=True)
class Qemu:
    """Where its programs are."""

    emulator: str
    disks: str
    """`qemu-img`."""

    firmware: tuple[str, ...] = ()
    """Directories with what machines begin with; none where the emulator knows them."""

    env: Mapping[str, str] = field(default_factory=dict)
    """What the programs need in their environment."""


def own() -> Qemu | None:
    """Those of this machine, if it has them."""
    found = [shutil.which(name, path=apt.search_path()) for name in (EMULATOR, DISKS)]
    emulator, disks = found
    return Qemu(emulator, disks) if emulator and disks else None


def qemu() -> Qemu:
    """The programs, fetched if this machine lacks one of them.

    Raises:
        SubjectError: They cannot be had.
    """
    here = own()
    if here:
        return here
    remedy = "check apt's settings and proxies, or install QEMU for x86"
    root = apt.unpacked(apt.Wanted("qemu", _STEP, PACKAGES, remedy))
    return _within(root)


def _within(root: Path) -> Qemu:
    folder = root / "usr/bin"
    firmware = tuple(str(root / name) for name in _FIRMWARE)
    env = {"LD_LIBRARY_PATH": apt.library_path(root)}
    return Qemu(str(folder / EMULATOR), str(folder / DISKS), firmware, env)


def environment(programs: Qemu) -> dict[str, str]:
    """The environment of a process that is one of the programs."""
    return {**os.environ, **programs.env}

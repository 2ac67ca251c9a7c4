"""What an engine of pinproof's own leaves when it is killed, and the removal of it: a bridge, control groups, files.

Processes, mounts and the containers' networks are in namespaces of its own and go with them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
from contextlib import suppress
from pathlib import Path

from pinproof.waiting import looks

CGROUPS = Path("/sys/fs/cgroup")
INTERFACES = Path("/sys/class/net")

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCBRDELBR = 0x8913, 0x8914, 0x89A1
_IFF_UP = 1
_IFREQ = "16sh22x"
"""struct ifreq with flags: 40 bytes."""

EMPTYING_SECONDS = 5.0
"""A control group is busy until the kernel has done with its last process."""


def remove_bridge(name: str) -> None:
    """Take an interface down and remove the bridge; one that is not there is fine."""
    if not (INTERFACES / name / "bridge").is_dir():
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        answer = fcntl.ioctl(channel, _SIOCGIFFLAGS, struct.pack(_IFREQ, name.encode(), 0))
        flags = struct.unpack(_IFREQ, answer)[1]
        fcntl.ioctl(channel, _SIOCSIFFLAGS, struct.pack(_IFREQ, name.encode(), flags & ~_IFF_UP))
        fcntl.ioctl(channel, _SIOCBRDELBR, name.encode() + b"\0")


def remove_control_groups(name: str) -> None:
    """Remove the control groups of this name, and those beneath, in every hierarchy; processes in them must be gone."""
    for _ in looks(EMPTYING_SECONDS, pause=0.05):
        left = [group for group in _groups(name) if not _removed(group)]
        if not left:
            return


def _groups(name: str) -> list[Path]:
    return [place for place in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")) if place.is_dir()]


def _removed(group: Path) -> bool:
    for folder, _, _ in os.walk(group, topdown=False):
        try:
            Path(folder).rmdir()
        except OSError:
            return False
    return True


def remove_files(*places: Path) -> None:
    """Remove directories; what cannot be removed is left to the next who tries."""
    for place in places:
        shutil.rmtree(place, ignore_errors=True)


def remove_empty(place: Path) -> None:
    """Remove a directory, and those beneath it, if there is no file in it."""
    for folder, _, _ in os.walk(place, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()

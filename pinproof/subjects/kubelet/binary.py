"""A file that claims to be a kubelet: what it is, and which release.

Everything that can be wrong with it is one SubjectError: not there, not a program, for another architecture, some other
program, crashing or hanging when asked for its version.
"""

from __future__ import annotations

import hashlib
import mmap
import platform
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pinproof.errors import SubjectError
from pinproof.subjects.kubelet.timeouts import Timeouts

_MACHINES: Final = {62: "x86_64", 183: "aarch64", 21: "ppc64le", 22: "s390x", 243: "riscv64", 3: "i386", 40: "arm"}
"""ELF `e_machine` → architecture as `uname -m` says it."""

_MARK: Final = b"k8s.io/kubernetes/cmd/kubelet"
"""The package that every kubelet is built from; a Go binary names it even when it is stripped."""

_VERSION: Final = re.compile(r"^Kubernetes v(?P<version>1\.\d+\.\d+\S*)\s*$")

_REMEDY: Final = "give a version (`kubelet:1.36.3`), a source tree, or a kubelet built for this machine"


@dataclass(frozen=True, slots=True)
class KubeletBinary:
    """A kubelet that can be run here."""

    path: Path
    version: str
    """Without the `v`: `1.36.3`."""

    def digest(self) -> str:
        """SHA-256 of the file, in hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def inspect(path: Path, *, timeouts: Timeouts, version: str | None = None) -> KubeletBinary:
    """Look at a file and ask it for its version, unless that is given. Raises SubjectError."""
    try:
        _check(path)
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from error
    said = _ask(path, timeouts)
    found = _VERSION.match(said)
    if version is None and found is None:
        message = f"says that it is {said.strip()[:100]!r}, which names no release"
        raise _wrong(
            path, message, remedy="build it with a version stamp (`pinproof build kubelet TREE`), or name its release"
        )
    return KubeletBinary(path.resolve(), version or (found["version"] if found else ""))


def _check(path: Path) -> None:
    """Whether the file is a kubelet for this machine, without running it."""
    if path.is_dir():
        raise _wrong(path, "is a folder without a Kubernetes source tree in it")
    with path.open("rb") as file:
        header = file.read(20)
        if header[:4] != b"\x7fELF":
            raise _wrong(path, f"is not a Linux program: it begins with {header[:8]!r}")
        machine = int.from_bytes(header[18:20], "little" if header[5] == 1 else "big")
        here = platform.machine()
        if _MACHINES.get(machine, "") != here:
            raise _wrong(
                path, f"is built for {_MACHINES.get(machine, f'architecture {machine}')}; this machine is {here}"
            )
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(_MARK) < 0:
                raise _wrong(path, "is a program, but not a kubelet")


def _ask(path: Path, timeouts: Timeouts) -> str:
    try:
        done = subprocess.run(
            [str(path.resolve()), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeouts.seconds("version"),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _wrong(path, f"hangs: it did not answer --version in {error.timeout:g} s") from error
    except OSError as error:
        raise _wrong(path, f"cannot be run: {error.strerror}", remedy=f"chmod +x {path}, or {_REMEDY}") from error
    if done.returncode:
        raise _wrong(path, f"crashes: --version ended with {_end(done.returncode)}; {_words(done)}")
    return done.stdout.decode(errors="replace")


def _end(code: int) -> str:
    return f"code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    words = (done.stderr or done.stdout).decode(errors="replace").strip()
    return words.splitlines()[0][:200] if words else "it said nothing"


def _wrong(path: Path, message: str, *, remedy: str = _REMEDY) -> SubjectError:
    return SubjectError(
        "look at the kubelet", f"{path} {message}", fault="the file given as the kubelet", remedy=remedy
    )

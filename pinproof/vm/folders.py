"""Folders of machines: each belongs to a process, and the next one removes those whose process is gone."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "pinproof-vm-"
_LOCK = "lock"


class Folder:
    """A folder of this process, until it is given up."""

    def __init__(self) -> None:
        """Make it, after removing those that processes left which were killed."""
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = FileLock(self.path / _LOCK)
        self._lock.acquire(blocking=False)

    def close(self) -> None:
        """Remove it. May be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def sweep() -> list[Path]:
    """Remove folders whose process is gone; returns them."""
    left = []
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        lock = FileLock(path / _LOCK)
        # Another user's is not ours to remove, and a fresh one has no lock for a moment.
        with contextlib.suppress(Timeout, OSError):
            if not (path / _LOCK).exists():
                continue
            lock.acquire(blocking=False)
            shutil.rmtree(path, ignore_errors=True)
            lock.release()
            left.append(path)
    return left

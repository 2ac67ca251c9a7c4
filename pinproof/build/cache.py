"""Where built things are kept: found by a digest of all that went in, built once, never half.

A thing is built in a work directory under a lock and moved into its final place by one rename. What an interrupted
build leaves in the work directory is removed by whoever next builds the same thing.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from pinproof.build.progress import Progress
from pinproof.errors import SubjectError

GIB = 2**30
LOCK_POLL_SECONDS = 0.25
IN_USE_SECONDS = 3600

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_MENDABLE = _FULL | {errno.EACCES, errno.EPERM, errno.EROFS}


def directory() -> Path:
    """`$XDG_CACHE_HOME/pinproof`, or `~/.cache/pinproof`."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path("~/.cache").expanduser()) / "pinproof"


def digest(*parts: str | bytes) -> str:
    """Sixteen hexadecimal digits that differ when any of the parts differs, or where one ends."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:16]


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def build_once(final: Path, make: Callable[[Path], None], *, what: str, turn: str = "") -> Path:
    """Return the directory `final`, made by `make` if it does not exist yet.

    Args:
        final: Where it is kept.
        make: Is given a fresh work directory and fills the directory `out` in it, which becomes `final`.
        what: The step, as messages begin.
        turn: Things with the same turn are made one after the other, because the first makes the others quick.

    Raises:
        SubjectError: The cache cannot be written, or whatever `make` raises.
    """
    if final.is_dir():
        return final
    with workspace(final.name, what=what, turn=turn) as work:
        if not final.is_dir():  # another process may have built it while this one waited for the lock
            make(work)
            final.parent.mkdir(parents=True, exist_ok=True)
            (work / "out").rename(final)
    return final


@contextmanager
def workspace(name: str, *, what: str, turn: str = "") -> Iterator[Path]:
    """An empty directory of this process alone, in the cache; removed at the end. One at a time for a turn (the name).

    Raises:
        SubjectError: The cache cannot be written, or is full.
    """
    work = directory() / "work" / name
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _storage_error(what, error) from error
    with _storage_trouble(what), _locked(work.with_name(f"{turn or name}.lock"), what):
        try:
            _remove(work)
            (work / "out").mkdir(parents=True)
            (work / "tmp").mkdir()
            yield work
        finally:
            _remove(work)


@contextmanager
def _storage_trouble(step: str) -> Iterator[None]:
    """Turn errors of the file system that a user can mend into a SubjectError; others are bugs."""
    try:
        yield
    except OSError as error:
        if error.errno in _MENDABLE:
            raise _storage_error(step, error) from error
        raise


def _storage_error(step: str, error: OSError) -> SubjectError:
    if error.errno in _FULL:
        return disk_full(step, str(error.filename or directory()))
    return SubjectError(
        step,
        f"the cache directory cannot be written: {error}",
        fault="the permissions of this machine",
        remedy="name a directory that you can write: export XDG_CACHE_HOME=DIR",
    )


def used(final: Path) -> Path:
    """Note that a thing is used now, so that `forget` lets it be; returns it."""
    os.utime(final)
    return final


def forget(kind: Path, *, most: int, but: str = "") -> None:
    """Remove things of a kind that were not used for long, so that at most so many are there with the one that is made next.

    Those of the last hour stay, however many they are: a run that goes on may have asked for one.
    """
    kept = [(path.stat().st_mtime, path) for path in kind.glob("*") if path.name != but]
    for since, path in sorted(kept, reverse=True)[most - 1 :]:
        if time.time() - since > IN_USE_SECONDS:
            _remove(path)


def require_space(step: str, needed: int) -> None:
    """Refuse to begin what cannot end: at least `needed` bytes must be free where the cache lies.

    Raises:
        SubjectError: There is less.
    """
    place = directory()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise disk_full(step, f"{place} has {free / GIB:.1f} GiB free, about {needed / GIB:.1f} GiB are needed")


def disk_full(step: str, where: str) -> SubjectError:
    """The error for a disk without room."""
    return SubjectError(
        step,
        f"no space left on device ({where})",
        fault="this machine's disk",
        remedy="make room (`go clean -cache` frees Go's build cache), or set XDG_CACHE_HOME, GOCACHE and GOMODCACHE "
        "to directories on a larger disk",
    )


@contextmanager
def _locked(path: Path, what: str) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        with Progress(f"{what}: waiting for another process that does it") as waiting:
            while not _acquired(lock):
                waiting.beat()
    try:
        yield
    finally:
        lock.release()


def _acquired(lock: BaseFileLock) -> bool:
    try:
        lock.acquire(timeout=LOCK_POLL_SECONDS)
    except Timeout:
        return False
    return True


def _remove(path: Path) -> None:
    """Remove a tree, directories that were copied read-only included; what cannot be removed is left to the next."""
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o755)
    shutil.rmtree(path, ignore_errors=True)

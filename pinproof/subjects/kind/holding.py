"""Which process has which worker of which cluster; the last one out deletes the cluster, and nobody else's is ever touched.

Every cluster of ours has a folder in the cache and locks beside it. Whoever uses a worker holds its lock, which the kernel
takes back when the process ends, however it ends. So a cluster none of whose workers is held, and that nobody wants kept, is
what a killed run has left: the next run deletes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from filelock import BaseFileLock, FileLock, Timeout

from pinproof.build import cache
from pinproof.build.progress import Progress
from pinproof.subjects.kind.cluster import Folder

PREFIX = "pinproof-"
_POLL_SECONDS = 0.25
_ENGINE = "engine"
"""File of a cluster's folder: which engine it is on."""


class Clusters(Protocol):
    """What is done to clusters."""

    def make(self, name: str, folder: Folder, *, image: str, release: str, number: int) -> None:
        """Create one."""

    def delete(self, name: str, folder: Folder) -> None:
        """Delete it and its folder."""

    def runs(self, name: str, number: int) -> bool:
        """Whether it is there and all of its nodes run."""

    @property
    def where(self) -> str:
        """Which engine they are on: one knows nothing of the clusters of another."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cluster that a run needs."""

    key: str
    """Part of its name; a later run that wants the same looks for it there."""

    image: str
    release: str
    """Kubernetes release of the image."""

    workers: int
    programs: str = ""
    """What of ours is in it; a cluster with other programs, which nobody uses, is made anew."""


@dataclass(frozen=True, slots=True)
class Held:
    """A worker that this process holds."""

    cluster: str
    folder: Folder
    rank: int
    """Which worker, counted from 1."""

    lock: BaseFileLock

    @property
    def node(self) -> str:
        """Its name."""
        return f"{self.cluster}-worker{self.rank if self.rank > 1 else ''}"


class Holdings:
    """The clusters of this user on this machine."""

    def __init__(self, clusters: Clusters, place: Path | None = None) -> None:
        self._clusters = clusters
        self._place = place or cache.directory() / "kind"

    def take(self, wanted: Wanted) -> Held:
        """Hold a worker, of a cluster that is there or of a new one. Raises SubjectError."""
        self._place.mkdir(parents=True, exist_ok=True)
        number = 0
        while True:
            number += 1
            name = f"{PREFIX}{wanted.key}" + (f"-{number}" if number > 1 else "")
            with self._locked(name):
                ranks = range(1, wanted.workers + 1) if self._ensure(name, wanted) else ()
                for rank in ranks:
                    lock = self._lock(name, rank)
                    if _acquired(lock):
                        return Held(name, self._folder(name), rank, lock)

    def give_back(self, held: Held, *, keep: bool) -> None:
        """Let go of a worker. Whoever is last deletes the cluster, unless it is to be kept. Raises SubjectError."""
        with self._locked(held.cluster):
            held.lock.release()
            marker = held.folder.path / "keep"
            if keep:
                marker.touch()
            elif self._is_idle(held.cluster):
                self._delete(held.cluster)

    def has_kept(self) -> bool:
        """Whether a cluster is to stay when nobody uses it."""
        return any(self._place.glob(f"{PREFIX}*/keep"))

    def clean(self) -> list[str]:
        """Delete what runs that were killed have left; returns the names. Raises SubjectError."""
        left = []
        for folder in sorted(self._place.glob(f"{PREFIX}*/")):
            mutex = FileLock(self._place / f"{folder.name}.lock")
            if not _acquired(mutex):
                continue
            try:
                if self._is_here(folder) and not (folder / "keep").exists() and self._is_idle(folder.name):
                    self._delete(folder.name)
                    left.append(folder.name)
            finally:
                mutex.release()
        return left

    def _ensure(self, name: str, wanted: Wanted) -> bool:
        """Have such a cluster; False where there is one that others use and that is not what is wanted."""
        folder, plan = self._folder(name), asdict(wanted)
        ready = folder.path / "ready.json"
        if ready.exists():
            if json.loads(ready.read_text()) == plan and self._clusters.runs(name, wanted.workers):
                return True
            if not self._is_idle(name):
                return False
        if folder.path.exists():
            self._delete(name)
        folder.path.mkdir(parents=True)
        (folder.path / _ENGINE).write_text(self._clusters.where)
        self._clusters.make(name, folder, image=wanted.image, release=wanted.release, number=wanted.workers)
        ready.write_text(json.dumps(plan))
        return True

    def _is_here(self, folder: Path) -> bool:
        """Whether its cluster is on our engine, or was made before that was written down."""
        file = folder / _ENGINE
        return not file.exists() or file.read_text() == self._clusters.where

    def _delete(self, name: str) -> None:
        self._clusters.delete(name, self._folder(name))
        for lock in self._place.glob(f"{name}.worker*.lock"):
            lock.unlink(missing_ok=True)  # nobody holds one, and nobody can take one: the cluster's own lock is ours

    def _is_idle(self, name: str) -> bool:
        """Whether no process holds a worker of it."""
        for path in self._place.glob(f"{name}.worker*.lock"):
            lock = FileLock(path)
            if not _acquired(lock):
                return False
            lock.release()
        return True

    def _folder(self, name: str) -> Folder:
        return Folder(self._place / name)

    def _lock(self, name: str, rank: int) -> BaseFileLock:
        return FileLock(self._place / f"{name}.worker{rank}.lock")

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """The cluster's own lock: one process at a time makes, takes, gives back, deletes."""
        lock = FileLock(self._place / f"{name}.lock")
        if not _acquired(lock):
            with Progress(f"cluster {name}: waiting for another process that makes or deletes it") as waiting:
                while not _acquired(lock, seconds=_POLL_SECONDS):
                    waiting.beat()
        try:
            yield
        finally:
            lock.release()


def _acquired(lock: BaseFileLock, *, seconds: float = 0) -> bool:
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        return False
    return True

"""The cache: built once, whole or not at all, trouble in one message."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from pinproof.build import cache
from pinproof.errors import SubjectError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pinproof"


def fill(work: Path) -> None:
    """Make a thing, and note in the cache that it was made."""
    (work / "out" / "thing").write_text("whole")
    with (work.parent.parent / "made").open("a") as log:
        log.write(f"{os.getpid()}\n")


def build() -> None:
    cache.build_once(cache.directory() / "things" / "a", fill, what="build a thing")


def test_workers_build_once(home: Path) -> None:
    """Of several processes one builds and the others wait for it."""
    workers = [multiprocessing.get_context("spawn").Process(target=build) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len((home / "made").read_text().splitlines()) == 1
    assert (home / "things/a/thing").read_text() == "whole"


def test_interrupted_build_leaves_nothing(home: Path) -> None:
    """Neither a half thing nor its work directory stays, and the next build succeeds."""

    def interrupted(work: Path) -> None:
        fill(work)
        (work / "out").chmod(0o555)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.build_once(home / "things/a", interrupted, what="x")
    left = [path.name for path in home.rglob("*") if path.is_dir()]
    build()

    assert left == ["work"]
    assert (home / "things/a/thing").is_file()


def test_leavings_of_a_killed_build_are_removed(home: Path) -> None:
    """Who builds the same thing next begins with an empty directory."""
    (home / "work/a/out").mkdir(parents=True)
    (home / "work/a/out/half").touch()

    build()

    assert [path.name for path in (home / "things/a").iterdir()] == ["thing"]


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "no space left on device"), (errno.EROFS, "cache directory cannot be written")],
)
def test_storage_that_fails(home: Path, number: int, message: str) -> None:
    """A full or read-only disk is one message with a remedy."""

    def fail(_: Path) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(SubjectError, match=message):
        cache.build_once(home / "things/a", fail, what="build a thing")


def test_cache_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The remedy is another directory."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(SubjectError, match="export XDG_CACHE_HOME=DIR"):
        build()


def test_bug_of_a_builder_is_no_storage_trouble(home: Path) -> None:
    """An unexpected error is not dressed up as the user's."""

    def fail(_: Path) -> None:
        raise FileNotFoundError(errno.ENOENT, "x")

    with pytest.raises(FileNotFoundError):
        cache.build_once(home / "things/a", fail, what="x")


def test_too_little_room_is_told_beforehand() -> None:
    """What cannot end does not begin."""
    with pytest.raises(SubjectError, match="GiB are needed"):
        cache.require_space("build", 2**60)


def test_digest_tells_where_parts_end() -> None:
    """Moving text from one part to the next is a difference."""
    assert cache.digest("ab", "c") != cache.digest("a", "bc")


def test_things_that_were_not_used_for_long_go(tmp_path: Path) -> None:
    """The new one counts as well; those that somebody may be using stay, however many there are."""
    kind = tmp_path / "kind"
    places = [kind / f"{number:02}" for number in range(6)]
    for age, place in enumerate(places):
        place.mkdir(parents=True)
        since = time.time() - (2 * cache.IN_USE_SECONDS + age if age > 2 else 0)
        os.utime(place, (since, since))
    (kind / "new").mkdir()
    cache.used(places[5])

    cache.forget(kind, most=3, but="new")

    assert ["00", "01", "02", "05", "new"] == sorted(path.name for path in kind.iterdir())

"""Who has which worker, and what becomes of clusters whose users end, however they end."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from pinproof.errors import SubjectError
from pinproof.subjects.kind.cluster import Folder
from pinproof.subjects.kind.holding import Holdings, Wanted

PROGRAMS = 50
TWO = Wanted("k", "img", "1.36.3", 2)


class Fake:
    """Clusters that are files, so that all processes see the same ones."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.where = "docker"
        self.made: list[str] = []
        self.fails = False

    def make(self, name: str, folder: Folder, *, image: str, release: str, number: int) -> None:
        del folder, image, release, number
        if self.fails:
            raise SubjectError("create the cluster", "no", fault="", remedy="")
        self.made.append(name)
        (self.place / f"{name}.up").touch()

    def delete(self, name: str, folder: Folder) -> None:
        (self.place / f"{name}.up").unlink(missing_ok=True)
        for file in folder.path.iterdir():
            file.unlink()
        folder.path.rmdir()

    def runs(self, name: str, number: int) -> bool:
        del number
        return name in self.up

    @property
    def up(self) -> list[str]:
        return sorted(file.stem for file in self.place.glob("*.up"))


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture
def holdings(fake: Fake, tmp_path: Path) -> Holdings:
    return Holdings(fake, tmp_path / "kind")


def test_clusters_of_another_engine_are_not_touched(holdings: Holdings, fake: Fake) -> None:
    """It has no containers on ours, so that only its folder would be deleted, from under it."""
    left = holdings.take(TWO)
    left.lock.release()  # as when its process is killed

    fake.where = "podman"
    other = holdings.clean()
    there = left.folder.path.exists()
    fake.where = "docker"

    assert ([], True, ["pinproof-k"]) == (other, there, holdings.clean())


def test_workers_of_one_cluster_serve_several_processes(holdings: Holdings, fake: Fake) -> None:
    first, second = holdings.take(TWO), holdings.take(TWO)

    assert ["pinproof-k"] == fake.made
    assert ["pinproof-k-worker", "pinproof-k-worker2"] == [first.node, second.node]


def test_whoever_finds_no_free_worker_gets_another_cluster(holdings: Holdings, fake: Fake) -> None:
    held = [holdings.take(TWO) for _ in range(3)]

    assert ["pinproof-k", "pinproof-k-2"] == fake.made
    assert "pinproof-k-2-worker" == held[2].node


def test_the_last_one_out_deletes_the_cluster(holdings: Holdings, fake: Fake) -> None:
    first, second = holdings.take(TWO), holdings.take(TWO)

    holdings.give_back(first, keep=False)
    assert ["pinproof-k"] == fake.up
    holdings.give_back(second, keep=False)
    assert [] == fake.up


def test_a_cluster_that_is_kept_is_used_again_and_deleted_by_the_next_run_that_does_not_keep_it(
    holdings: Holdings, fake: Fake
) -> None:
    holdings.give_back(holdings.take(TWO), keep=True)
    assert [] == holdings.clean()
    assert ["pinproof-k"] == fake.up
    assert holdings.has_kept()

    held = holdings.take(TWO)
    assert ["pinproof-k"] == fake.made
    holdings.give_back(held, keep=False)
    assert [] == fake.up
    assert not holdings.has_kept()


def test_a_kept_cluster_that_is_dead_is_made_anew(holdings: Holdings, fake: Fake) -> None:
    holdings.give_back(holdings.take(TWO), keep=True)
    (fake.place / "pinproof-k.up").unlink()

    holdings.take(TWO)

    assert ["pinproof-k", "pinproof-k"] == fake.made


def test_a_cluster_that_cannot_be_made_is_not_taken_for_one(holdings: Holdings, fake: Fake) -> None:
    fake.fails = True
    with pytest.raises(SubjectError):
        holdings.take(TWO)
    fake.fails = False

    assert "pinproof-k-worker" == holdings.take(TWO).node


def test_a_cluster_with_other_programs_that_others_use_is_left_alone(holdings: Holdings, fake: Fake) -> None:
    first = holdings.take(TWO)

    second = holdings.take(Wanted("k", "img", "1.36.3", 2, programs="newer"))

    assert ("pinproof-k-worker", "pinproof-k-2-worker") == (first.node, second.node)
    holdings.give_back(first, keep=True)
    assert "pinproof-k-worker" == holdings.take(Wanted("k", "img", "1.36.3", 2, programs="newer")).node
    assert ["pinproof-k", "pinproof-k-2", "pinproof-k"] == fake.made


def _hold(place: Path, taken: Event) -> None:
    held = Holdings(Fake(place), place / "kind").take(TWO)
    taken.set()
    signal.pause()
    del held


def test_what_a_killed_run_has_left_is_deleted_by_the_next_and_not_before(
    holdings: Holdings, fake: Fake, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    taken = context.Event()
    process = context.Process(target=_hold, args=(tmp_path, taken), daemon=True)
    process.start()
    assert taken.wait(30)
    assert [] == holdings.clean()
    assert process.pid is not None

    os.kill(process.pid, signal.SIGKILL)
    process.join()

    assert ["pinproof-k"] == fake.up
    assert ["pinproof-k"] == holdings.clean()
    assert [] == fake.up


def test_nobody_elses_cluster_is_touched(holdings: Holdings, fake: Fake) -> None:
    (fake.place / "pinproof-other.up").touch()  # it is there, and has no folder of ours

    assert [] == holdings.clean()
    assert ["pinproof-other"] == fake.up


def bring(place: Path, source: Path, begin: Event) -> None:
    """A process of a run that lets the workers have programs."""
    begin.wait()
    for number in range(PROGRAMS):
        Folder(place).program(f"kubelet-{number}", source)


def test_processes_that_share_a_cluster_bring_the_same_programs_at_once(tmp_path: Path) -> None:
    """None is surprised by another that was quicker, and every program is whole."""
    source = tmp_path / "kubelet"
    source.write_bytes(b"x" * (1 << 16))
    context = multiprocessing.get_context("fork")
    begin = context.Event()
    processes = [context.Process(target=bring, args=(tmp_path / "c", source, begin)) for _ in range(3)]
    for process in processes:
        process.start()
    begin.set()
    for process in processes:
        process.join(30)

    programs = list((tmp_path / "c" / "programs").iterdir())
    assert [0, 0, 0] == [process.exitcode for process in processes]
    assert (PROGRAMS, {1 << 16}) == (len(programs), {program.stat().st_size for program in programs})

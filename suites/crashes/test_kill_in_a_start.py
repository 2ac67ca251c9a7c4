"""A kubelet that is killed while it starts. A start that finds its files writes nothing; one that does not makes them anew."""

from __future__ import annotations

from pinproof.suite import Prove, admit, at_write, block, case, gib, guaranteed, killed, restart, static

STATIC, ALIGNED = static(topology="best-effort"), static(topology="restricted", cpu="static")
PODS = (admit(guaranteed("a", memory="4Gi", cpu="2")), admit(guaranteed("b", memory="8Gi", cpu="2")))


@case("MM-KILL-005", machines="two_even", kubelet=[STATIC, ALIGNED])
def test_kept_files_are_not_written(prove: Prove) -> None:
    """A start that finds the pods' blocks in its files has nothing to write, so there is no point to be killed at."""
    seen = prove(*PODS, killed(restart(), at_write(1, "before")), restart())

    assert not seen.killed(after=3)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert [block(1, memory="8Gi")] == seen.blocks("b")


@case("MM-KILL-005", machines="two_even", kubelet=STATIC)
def test_empty_file_of_a_start(prove: Prove) -> None:
    """The file was lost. The first write makes one without machine state; the next start fills it."""
    seen = prove(*PODS, killed(restart(state="lose"), at_write(1, "after")), restart())

    assert seen.killed(after=3)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert [block(1, memory="8Gi")] == seen.blocks("b")


@case("MM-KILL-005", machines="two_even", kubelet=STATIC)
def test_machine_state_without_pods(prove: Prove) -> None:
    """The second write has the machine, and no pod yet."""
    seen = prove(*PODS, killed(restart(state="lose"), at_write(2, "after")), restart())

    assert seen.killed(after=3)
    assert [0, 0] == [seen.reserved(node, after=3) for node in (0, 1)]
    assert [gib(4), gib(8)] == [seen.reserved(node) for node in (0, 1)]


@case("MM-KILL-005", machines="two_even", kubelet=STATIC)
def test_between_two_pods_that_come_back(prove: Prove) -> None:
    """One pod has its blocks again, the other has none yet: killed before the second is booked."""
    seen = prove(*PODS, killed(restart(state="lose"), at_write(5, "unnamed")), restart())

    assert seen.killed(after=3)
    assert {"a": ["c"]} == seen.assigned(after=3)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert [block(1, memory="8Gi")] == seen.blocks("b")


@case("MM-KILL-005", machines="two_even", kubelet=STATIC)
def test_between_books_and_blocks_of_a_pod_that_comes_back(prove: Prove) -> None:
    """As in an admission: the books of the first pod are on disk, its blocks are not."""
    seen = prove(*PODS, killed(restart(state="lose"), at_write(3, "after")), restart())

    assert seen.killed(after=3)
    assert seen.running


@case("MM-KILL-005", machines="two_even", kubelet=ALIGNED)
def test_empty_cpu_file_of_a_start(prove: Prove) -> None:
    """The CPU manager's file was lost as well, and has no CPU in it yet."""
    seen = prove(*PODS, killed(restart(state="lose", cpu_state="lose"), at_write(1, "after", of="cpu")), restart())

    assert seen.killed(after=3)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert ["1-2", "8-9"] == [seen.exclusive_cpus(name) for name in ("a", "b")]


@case("MM-KILL-005", machines="two_even", kubelet=ALIGNED)
def test_between_the_start_of_the_two_managers(prove: Prove) -> None:
    """The CPU manager has its file again, the memory manager has none."""
    seen = prove(*PODS, killed(restart(state="lose", cpu_state="lose"), at_write(2, "after", of="cpu")), restart())

    assert seen.killed(after=3)
    assert ["", [block(0, memory="4Gi")]] == [seen.at(3).state_file, seen.blocks("a")]

"""A kubelet that is killed at a write of an admission: before it, between its text and its name, behind it.

The writes of a container, in order: the CPU manager's default set, its CPUs, the memory manager's books, its blocks. Of a later
container that reuses memory of an init container: the init container's smaller blocks as well.
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, at_write, block, case, container, gib, guaranteed, killed, restart, static

STATIC, ALIGNED = static(topology="best-effort"), static(topology="restricted", cpu="static")
POD = admit(guaranteed("a", memory="4Gi", cpu="2"))
OTHER = admit(guaranteed("x", memory="3Gi", cpu="2"))
TWO = admit(guaranteed("a", containers=[container("c", memory="4Gi", cpu="2"), container("d", memory="2Gi", cpu="2")]))
WITH_INIT = admit(guaranteed("a", memory="2Gi", cpu="2", init=[container("i", memory="3Gi", cpu="2")]))


@case("MM-KILL-001", "MM-KILL-002", machines="two_even", kubelet=STATIC)
def test_before_the_first_write(prove: Prove) -> None:
    """Nothing is on disk: the pod comes back as if it were new, and goes where it would have gone."""
    seen = prove(OTHER, killed(POD, at_write(1, "before")), restart())

    assert seen.killed(after=2)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert [block(0, memory="3Gi")] == seen.blocks("x")
    assert "0" == seen.mems("a")


@case("MM-KILL-001", machines="two_even", kubelet=STATIC)
def test_text_without_its_name(prove: Prove) -> None:
    """The text of the first write is on disk in a file without name, which nobody reads."""
    seen = prove(killed(POD, at_write(1, "unnamed")), restart())

    assert seen.killed(after=1)
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-KILL-001", machines="two_even", kubelet=STATIC)
def test_between_books_and_blocks(prove: Prove) -> None:
    """The books say that memory is taken, no block says by whom."""
    seen = prove(OTHER, killed(POD, at_write(1, "after")), restart())

    assert seen.killed(after=2)
    assert seen.running
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-KILL-001", "MM-KILL-002", machines="two_even", kubelet=STATIC)
def test_behind_the_last_write(prove: Prove) -> None:
    """The whole allocation is on disk: the pod gets it, and the runtime hears of it for the first time."""
    seen = prove(OTHER, killed(POD, at_write(2, "after")), restart())

    assert seen.killed(after=2)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert gib(7) == seen.reserved(0)
    assert "0" == seen.mems("a")
    assert [block(0, memory="3Gi")] == seen.blocks("x")


@case("MM-KILL-001", machines="two_even", kubelet=ALIGNED)
def test_between_the_two_managers(prove: Prove) -> None:
    """CPUs are on disk, memory is not: the pod keeps the CPUs and gets memory beside them."""
    seen = prove(OTHER, killed(POD, at_write(1, "before")), restart())

    assert seen.killed(after=2)
    assert "3-4" == seen.exclusive_cpus("a")
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-KILL-001", machines="two_even", kubelet=ALIGNED)
def test_between_default_set_and_cpus(prove: Prove) -> None:
    """The CPUs are no longer free, and nobody has them."""
    seen = prove(killed(POD, at_write(1, "after", of="cpu")), restart())

    assert seen.killed(after=1)
    assert seen.running
    assert "1-2" == seen.exclusive_cpus("a")


@case("MM-KILL-001", machines="two_even", kubelet=[STATIC, ALIGNED])
def test_between_two_containers(prove: Prove) -> None:
    """The first container's blocks are on disk, the second's are not: each has its own in the end, once."""
    seen = prove(killed(TWO, at_write(2, "after")), restart())

    assert seen.killed(after=1)
    assert [block(0, memory="4Gi")] == seen.blocks("a", "c")
    assert [block(0, memory="2Gi")] == seen.blocks("a", "d")
    assert [gib(6), 0] == [seen.reserved(node) for node in (0, 1)]


@case("MM-KILL-001", machines="two_even", kubelet=STATIC)
def test_between_books_and_blocks_of_the_second_container(prove: Prove) -> None:
    """The first container has its blocks; for the second there are only books."""
    seen = prove(killed(TWO, at_write(3, "after")), restart())

    assert seen.killed(after=1)
    assert seen.running
    assert {"a": ["c", "d"]} == seen.assigned()


@case("MM-KILL-001", machines="two_even", kubelet=STATIC)
def test_between_an_init_container_and_the_next(prove: Prove) -> None:
    """The init container has its blocks, and nothing of the container that reuses them is on disk."""
    seen = prove(killed(WITH_INIT, at_write(2, "after")), restart())

    assert seen.killed(after=1)
    assert [block(0, memory="1Gi")] == seen.blocks("a", "i")
    assert [block(0, memory="2Gi")] == seen.blocks("a", "c")
    assert gib(3) == seen.reserved(0)


@case("MM-KILL-001", machines="two_even", kubelet=STATIC)
def test_before_the_init_container_s_blocks_shrink(prove: Prove) -> None:
    """The app container has its blocks, and the init container still all of its own: together more than the books."""
    seen = prove(killed(WITH_INIT, at_write(4, "after")), restart())

    assert seen.killed(after=1)
    assert seen.running
    assert seen.admitted("a")


@case("MM-KILL-001", machines="two_even", kubelet=STATIC)
def test_more_points_than_there_are(prove: Prove) -> None:
    """The control: an admission of one container has two writes, and a kubelet that comes to no point lives on."""
    seen = prove(killed(POD, at_write(3, "before")), restart())

    assert not seen.killed(after=1)
    assert [block(0, memory="4Gi")] == seen.blocks("a", after=1)


@case("MM-KILL-001", machines="four_snc2", kubelet=static())
def test_group_of_two_nodes(prove: Prove) -> None:
    """A pod over two nodes: killed behind its last write it is found over the same two."""
    big = admit(guaranteed("a", memory="12Gi", cpu="2"))
    seen = prove(killed(big, at_write(2, "after")), restart())

    assert seen.killed(after=1)
    assert [block((0, 1), memory="12Gi")] == seen.blocks("a")
    assert (0, 1) == seen.cells(0)


@case("MM-KILL-001", machines="two_even", kubelet=STATIC)
def test_killed_again_and_again(prove: Prove) -> None:
    """Three kubelets are killed at the same point, one after the other; the fourth has nothing to complain about."""
    point = at_write(1, "unnamed")
    seen = prove(killed(POD, point), killed(restart(), point), killed(restart(), point), restart())

    assert [True] * 3 == [seen.killed(after=step) for step in (1, 2, 3)]
    assert [block(0, memory="4Gi")] == seen.blocks("a")

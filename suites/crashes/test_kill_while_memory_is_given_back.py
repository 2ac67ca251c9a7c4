"""A kubelet that is killed while a manager gives back what is gone: first the record goes, then the books say so."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    admit,
    at_write,
    besteffort,
    block,
    case,
    container,
    exits,
    gib,
    guaranteed,
    killed,
    remove,
    restart,
    static,
)

STATIC, ALIGNED = static(topology="best-effort"), static(topology="restricted", cpu="static")
POD = admit(guaranteed("a", memory="4Gi", cpu="2"))
NEXT = admit(guaranteed("b", memory="9Gi", cpu="2"))
ANY = admit(besteffort("any"))
WITH_INIT = admit(guaranteed("a", memory="2Gi", cpu="2", init=[container("i", memory="3Gi", cpu="2")]))


@case("MM-KILL-004", machines="two_even", kubelet=STATIC)
def test_before_anything_is_given_back(prove: Prove) -> None:
    """The pod is gone, its memory is held; the next admission after the restart gives it back."""
    seen = prove(POD, remove("a"), killed(NEXT, at_write(1, "unnamed")), restart(), ANY)

    assert seen.killed(after=3)
    assert [block(0, memory="4Gi")] == seen.blocks("a", after=3)
    assert {"b": ["c"]} == seen.assigned()
    assert [block(1, memory="9Gi")] == seen.blocks("b")


@case("MM-KILL-004", machines="two_even", kubelet=STATIC)
def test_between_blocks_and_books(prove: Prove) -> None:
    """No block is left, and the books say that memory is taken."""
    seen = prove(POD, remove("a"), killed(NEXT, at_write(1, "after")), restart())

    assert seen.killed(after=3)
    assert seen.running
    assert {"b": ["c"]} == seen.assigned()


@case("MM-KILL-004", machines="two_even", kubelet=STATIC)
def test_behind_both(prove: Prove) -> None:
    """All is given back on disk, and the pod that comes back has the node for itself."""
    seen = prove(POD, remove("a"), killed(NEXT, at_write(2, "after")), restart())

    assert seen.killed(after=3)
    assert [block(0, memory="9Gi")] == seen.blocks("b")
    assert gib(9) == seen.reserved(0)


@case("MM-KILL-004", machines="two_even", kubelet=ALIGNED)
def test_between_a_container_s_cpus_and_the_default_set(prove: Prove) -> None:
    """Nobody has the CPUs, and they are not free."""
    seen = prove(POD, remove("a"), killed(NEXT, at_write(1, "after", of="cpu")), restart())

    assert seen.killed(after=3)
    assert seen.running
    assert "1-2" == seen.exclusive_cpus("b")


@case("MM-KILL-004", machines="two_even", kubelet=ALIGNED)
def test_cpus_are_given_back_and_memory_is_not(prove: Prove) -> None:
    """Killed between the clean-up of the CPU manager and that of the memory manager, which still holds what is gone."""
    seen = prove(POD, remove("a"), killed(NEXT, at_write(2, "after", of="cpu")), restart(), ANY)

    assert seen.killed(after=3)
    assert "8-9" == seen.exclusive_cpus("b")
    assert [block(1, memory="9Gi")] == seen.blocks("b")
    assert {"b": ["c"]} == seen.assigned()


@case("MM-KILL-004", machines="two_even", kubelet=STATIC)
def test_init_container_s_blocks_are_gone_and_the_books_hold_them(prove: Prove) -> None:
    """The app container starts, which gives the init container's memory back: killed between the two writes of that."""
    seen = prove(WITH_INIT, killed(exits("a", "i"), at_write(1, "after")), restart())

    assert seen.killed(after=2)
    assert seen.running
    assert [block(0, memory="2Gi")] == seen.blocks("a", "c")


@case("MM-KILL-004", machines="two_even", kubelet=STATIC)
def test_init_container_s_memory_is_free(prove: Prove) -> None:
    """Behind both writes, and before the app container has started."""
    seen = prove(WITH_INIT, killed(exits("a", "i"), at_write(2, "after")), restart())

    assert seen.killed(after=2)
    assert gib(2) == seen.reserved(0, after=2)
    assert [block(0, memory="2Gi")] == seen.blocks("a", "c")
    assert "0" == seen.mems("a", "c")

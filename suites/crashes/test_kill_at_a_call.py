"""A kubelet that is killed at a call to its container runtime: before the runtime has done it, or before the kubelet hears so."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    admit,
    at_call,
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

STATIC = static(topology="best-effort")
POD = admit(guaranteed("a", memory="4Gi", cpu="2"))
OTHER = admit(guaranteed("x", memory="3Gi", cpu="2"))
TWO = admit(guaranteed("a", containers=[container("c", memory="4Gi"), container("d", memory="2Gi")]))
WITH_INIT = admit(guaranteed("a", memory="2Gi", cpu="2", init=[container("i", memory="3Gi", cpu="2")]))


@case("MM-KILL-003", machines="two_even", kubelet=STATIC)
def test_before_the_sandbox(prove: Prove) -> None:
    """The pod is admitted and its blocks are on disk; the runtime knows nothing of it."""
    seen = prove(OTHER, killed(POD, at_call("RunPodSandbox", "before")), restart())

    assert seen.killed(after=2)
    assert [block(0, memory="4Gi")] == seen.blocks("a", after=2)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert "0" == seen.mems("a")


@case("MM-KILL-003", machines="two_even", kubelet=STATIC)
def test_behind_the_sandbox(prove: Prove) -> None:
    """The sandbox is there, and its container is created in it."""
    seen = prove(killed(POD, at_call("RunPodSandbox", "after")), restart())

    assert seen.killed(after=1)
    assert "0" == seen.mems("a")


@case("MM-KILL-003", machines="two_even", kubelet=STATIC)
def test_before_the_container(prove: Prove) -> None:
    """The second of two containers is not created yet; the first runs on."""
    seen = prove(killed(TWO, at_call("CreateContainer", "before", number=2)), restart())

    assert seen.killed(after=1)
    assert ["0", "0"] == [seen.mems("a", name) for name in ("c", "d")]
    assert [block(0, memory="2Gi")] == seen.blocks("a", "d")


@case("MM-KILL-003", "MM-KILL-006", machines="two_even", kubelet=STATIC)
def test_container_that_was_created_and_not_started(prove: Prove) -> None:
    """The runtime has a container that nobody has started: it is made anew, on the same node."""
    seen = prove(OTHER, killed(POD, at_call("StartContainer", "before")), restart())

    assert seen.killed(after=2)
    assert "0" == seen.mems("a")
    assert gib(7) == seen.reserved(0)


@case("MM-KILL-003", machines="two_even", kubelet=STATIC)
def test_container_that_was_started(prove: Prove) -> None:
    """The container runs before the kubelet knows; the next finds it, and leaves it alone."""
    seen = prove(killed(POD, at_call("StartContainer", "after")), restart())

    assert seen.killed(after=1)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert "0" == seen.mems("a")


@case("MM-KILL-006", machines="two_even", kubelet=STATIC)
def test_init_container_that_was_created_and_not_started(prove: Prove) -> None:
    """It is started by the next kubelet, and when it ends its pod goes on."""
    seen = prove(killed(WITH_INIT, at_call("StartContainer", "before")), restart(), exits("a", "i"))

    assert seen.killed(after=1)
    assert "0" == seen.mems("a", "c")


@case("MM-KILL-004", machines="two_even", kubelet=STATIC)
def test_app_container_before_its_init_container_s_memory_is_free(prove: Prove) -> None:
    """Killed before the app container is created: the init container is over, and its blocks are still in the file."""
    seen = prove(WITH_INIT, killed(exits("a", "i"), at_call("CreateContainer", "before")), restart())

    assert seen.killed(after=2)
    assert [block(0, memory="1Gi")] == seen.blocks("a", "i", after=2)
    assert [block(0, memory="2Gi")] == seen.blocks("a", "c")
    assert {"a": ["c"]} == seen.assigned()


@case("MM-KILL-007", machines="two_even", kubelet=STATIC)
def test_removal_before_the_container_stops(prove: Prove) -> None:
    """The pod is deleted and its container runs on while no kubelet does. The next pod has its memory."""
    seen = prove(
        POD, killed(remove("a"), at_call("StopContainer", "before")), restart(), admit(guaranteed("b", memory="9Gi"))
    )

    assert seen.killed(after=2)
    assert [] == seen.pods(after=3)
    assert [block(0, memory="4Gi")] == seen.blocks("a", after=3)
    assert {"b": ["c"]} == seen.assigned()
    assert [block(0, memory="9Gi")] == seen.blocks("b")


@case("MM-KILL-007", machines="two_even", kubelet=STATIC)
def test_removal_before_the_sandbox_stops(prove: Prove) -> None:
    """The container has stopped, its sandbox has not."""
    seen = prove(POD, killed(remove("a"), at_call("StopPodSandbox", "before")), restart(), OTHER)

    assert seen.killed(after=2)
    assert {"x": ["c"]} == seen.assigned()

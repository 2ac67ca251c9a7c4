"""The life of containers: what is told to the runtime, and when blocks of init and ended containers go."""

from __future__ import annotations

from pinproof.scenario.pod import Pod
from pinproof.suite import (
    Prove,
    admit,
    besteffort,
    block,
    case,
    container,
    exits,
    gib,
    guaranteed,
    pod,
    restart,
    sidecar,
    static,
)

NONE = static()
RESTRICTED = static(topology="restricted")


@case("MM-INIT-008", machines="two_even", kubelet=NONE)
def test_init_and_app_are_both_pinned(prove: Prove) -> None:
    """The init container is created with its pinning, the app container with its own when it follows."""
    seen = prove(admit(_behind_a_full_node("x")), admit(_init_then_app("a")), exits("a", "i"))

    assert seen.mems("a", "i", after=2) == "1"
    assert not seen.created("a", "c", after=2)
    assert seen.mems("a", "c") == "1"


@case("MM-INIT-008", machines="two_even", kubelet=NONE)
def test_init_whose_memory_was_all_taken_over_is_still_pinned(prove: Prove) -> None:
    """A block that reuse has shrunk to nothing binds its container all the same."""
    seen = prove(admit(guaranteed("a", memory="4Gi", init=[container("i", memory="1Gi")])))

    assert [block(0, memory="0")] == seen.blocks("a", "i")
    assert seen.mems("a", "i") == "0"


@case("MM-INIT-008", machines="two_even", kubelet=NONE)
def test_init_and_app_on_different_nodes_are_told_their_own(prove: Prove) -> None:
    """Where the app landed on another node than its init container, each is told its own."""
    a = guaranteed("a", memory="8Gi", init=[container("i", memory="6Gi")])
    seen = prove(admit(guaranteed("x", memory="3Gi")), admit(a), exits("a", "i"))

    assert ("0", "1") == (seen.mems("a", "i"), seen.mems("a", "c"))
    assert (gib(3), gib(8)) == (seen.reserved(0), seen.reserved(1))


@case("MM-INIT-009", machines="two_even", kubelet=NONE)
def test_surplus_of_init_is_free_when_the_app_starts(prove: Prove) -> None:
    """Init 4, app 2: 4Gi are reserved until the app starts, then 2Gi, and the init container has no record."""
    seen = prove(admit(_init_then_app("a")), exits("a", "i"))

    assert [gib(4), gib(2)] == [seen.reserved(0, after=step) for step in (1, 2)]
    assert {"a": ["c"]} == seen.assigned()
    assert seen.assignments_on(0) == 1


@case("MM-INIT-009", machines="two_even", kubelet=NONE)
def test_each_init_is_released_when_the_next_starts(prove: Prove) -> None:
    """Init 4 and 3, app 2: the first record goes when the second init container starts, the second with the app."""
    init = [container("i1", memory="4Gi"), container("i2", memory="3Gi")]
    seen = prove(admit(guaranteed("a", memory="2Gi", init=init)), exits("a", "i1"), exits("a", "i2"))

    assert [{"a": ["c", "i1", "i2"]}, {"a": ["c", "i2"]}, {"a": ["c"]}] == [seen.assigned(after=n) for n in (1, 2, 3)]
    assert [gib(4), gib(4), gib(2)] == [seen.reserved(0, after=n) for n in (1, 2, 3)]


@case("MM-INIT-009", machines="two_even", kubelet=static(topology="best-effort"))
def test_group_of_a_large_init_lasts_as_long_as_its_app(prove: Prove) -> None:
    """Init 12 over both nodes, app 4 in its group: when init is released the app's 4Gi and the group stay."""
    seen = prove(admit(guaranteed("a", memory="4Gi", init=[container("i", memory="12Gi")])), exits("a", "i"))

    assert gib(4) == seen.reserved(0) + seen.reserved(1)
    assert (0, 1) == seen.cells(0) == seen.cells(1)
    assert seen.mems("a") == "0,1"


@case("MM-INIT-010", machines="two_even", kubelet=NONE)
def test_sidecar_stays_when_the_containers_after_it_start(prove: Prove) -> None:
    """Sidecar, init, app: only the init container's record goes, the sidecar's stays with its memory."""
    init = [sidecar("s", memory="2Gi"), container("i", memory="3Gi")]
    seen = prove(admit(guaranteed("a", memory="1Gi", init=init)), exits("a", "i"))

    assert {"a": ["c", "s"]} == seen.assigned()
    assert [block(0, memory="2Gi")] == seen.blocks("a", "s")
    assert gib(3) == seen.reserved(0)


@case("MM-INIT-010", machines="two_even", kubelet=NONE)
def test_init_before_a_sidecar_is_released_when_the_sidecar_starts(prove: Prove) -> None:
    """Init 5, sidecar 1, init 1, app 1: when the sidecar starts, what the other three do not need is free."""
    init = [container("i1", memory="5Gi"), sidecar("s", memory="1Gi"), container("i2", memory="1Gi")]
    seen = prove(admit(guaranteed("a", memory="1Gi", init=init)), exits("a", "i1"))

    assert {"a": ["c", "i2", "s"]} == seen.assigned()
    assert [gib(5), gib(3)] == [seen.reserved(0, after=step) for step in (1, 2)]


@case("MM-INIT-010", machines="two_even", kubelet=NONE)
def test_restarted_sidecar_keeps_its_pinning(prove: Prove) -> None:
    """A sidecar that ends is created again where it was, and so keeps its memory."""
    a = guaranteed("a", memory="4Gi", init=[sidecar("s", memory="2Gi")])
    seen = prove(admit(_behind_a_full_node("x")), admit(a), exits("a", "s", code=1))

    assert seen.mems("a", "s") == "1"
    assert gib(6) == seen.reserved(1)


@case("MM-INIT-011", machines="two_even", kubelet=NONE)
def test_restarted_container_keeps_its_pinning(prove: Prove) -> None:
    """A container that ends and comes back is created with the nodes it had, and books do not change."""
    seen = prove(admit(_behind_a_full_node("x")), admit(guaranteed("a", memory="4Gi")), exits("a", "c", code=1))

    assert seen.mems("a") == "1"
    assert [block(1, memory="4Gi")] == seen.blocks("a")
    assert seen.node(1, after=2) == seen.node(1)


@case("MM-INIT-011", machines="two_even", kubelet=NONE)
def test_failed_container_comes_back_under_on_failure(prove: Prove) -> None:
    """Restart policy `OnFailure` and a code other than 0: the pod goes on, and its memory is kept."""
    a = guaranteed("a", memory="4Gi", restart_policy="OnFailure")
    seen = prove(admit(a), exits("a", "c", code=1), admit(besteffort("b")))

    assert gib(4) == seen.reserved(0)
    assert {"a": ["c"]} == seen.assigned()


@case("MM-INIT-011", machines="two_even", kubelet=NONE)
def test_failed_init_is_tried_again_with_its_memory(prove: Prove) -> None:
    """An init container that fails is created again; nothing is released and the app does not start."""
    seen = prove(admit(_init_then_app("a")), exits("a", "i", code=1))

    assert {"a": ["c", "i"]} == seen.assigned()
    assert gib(4) == seen.reserved(0)
    assert not seen.created("a", "c")


@case("MM-INIT-012", machines="two_even", kubelet=NONE)
def test_finished_pod_frees_its_memory_at_the_next_admission(prove: Prove) -> None:
    """A pod that is done holds its memory until the next pod of any QoS class is admitted."""
    a = guaranteed("a", memory="4Gi", restart_policy="Never")
    seen = prove(admit(a), exits("a", "c"), admit(besteffort("b")))

    assert [gib(4), gib(4), 0] == [seen.reserved(0, after=step) for step in (1, 2, 3)]
    assert {} == seen.assigned()


@case("MM-INIT-012", machines="two_even", kubelet=RESTRICTED)
def test_memory_of_a_finished_pod_serves_the_pod_that_frees_it(prove: Prove) -> None:
    """Both nodes are full; when one of the pods is done the next pod gets its node."""
    seen = prove(
        admit(guaranteed("a", memory="10Gi", restart_policy="Never")),
        admit(guaranteed("b", memory="10Gi")),
        exits("a", "c"),
        admit(guaranteed("d", memory="10Gi")),
    )

    assert [block(0, memory="10Gi")] == seen.blocks("d")


@case("MM-INIT-012", machines="two_even", kubelet=NONE)
def test_failed_pod_frees_its_memory_too(prove: Prove) -> None:
    """A pod that ended with a code other than 0 and does not come back is gone like any other."""
    a = guaranteed("a", memory="4Gi", restart_policy="Never")
    seen = prove(admit(a), exits("a", "c", code=3), admit(besteffort("b")))

    assert 0 == seen.reserved(0)


@case("MM-INIT-012", machines="two_even", kubelet=NONE)
def test_pod_whose_init_failed_for_good_frees_its_memory(prove: Prove) -> None:
    """Under `Never` a failed init container ends the pod: its app never starts, and both records go."""
    a = guaranteed("a", memory="2Gi", init=[container("i", memory="4Gi")], restart_policy="Never")
    seen = prove(admit(a), exits("a", "i", code=1), admit(besteffort("b")))

    assert not seen.created("a", "c", after=2)
    assert {} == seen.assigned()


@case("MM-INIT-013", machines="two_even", kubelet=NONE)
def test_container_that_ended_holds_its_memory_while_its_pod_runs(prove: Prove) -> None:
    """Memory is given back by the pod, not by the container: the other container of the pod still runs."""
    both = [container("x", memory="2Gi"), container("y", memory="3Gi")]
    a = guaranteed("a", containers=both, restart_policy="Never")
    seen = prove(admit(a), exits("a", "x"), admit(besteffort("b")))

    assert {"a": ["x", "y"]} == seen.assigned()
    assert gib(5) == seen.reserved(0)


@case("MM-INIT-014", machines="two_even", kubelet=NONE)
def test_restart_of_the_kubelet_while_init_runs(prove: Prove) -> None:
    """Init memory is not lost track of by a restart: it is released when the app starts."""
    seen = prove(admit(_init_then_app("a")), restart(), exits("a", "i"))

    assert [gib(4), gib(4), gib(2)] == [seen.reserved(0, after=step) for step in (1, 2, 3)]
    assert {"a": ["c"]} == seen.assigned()


@case("MM-INIT-015", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_init_container_without_limits_unpins_the_pod(prove: Prove) -> None:
    """Init containers decide the QoS class like any other: one without limits, and nothing of the pod is pinned."""
    loose = container("i", memory="1Gi", limited=False)
    seen = prove(admit(pod("a", container("c", memory="4Gi"), init=[loose])))

    assert {} == seen.assigned()
    assert seen.mems("a", "i") == ""
    assert gib(10) == seen.free(0)


@case("MM-INIT-016", machines="two_even", kubelet=static(topology="restricted", cpu="static"))
def test_exclusive_cpus_of_init_are_reused_beside_its_memory(prove: Prove) -> None:
    """Init 2 CPUs, sidecar 1, app 2: the sidecar takes over one, the app the other and one more; memory in step."""
    init = [container("i", memory="4Gi", cpu="2"), sidecar("s", memory="1Gi", cpu="1")]
    seen = prove(admit(guaranteed("a", memory="2Gi", cpu="2", init=init)))

    assert ["1-2", "1", "2-3"] == [seen.exclusive_cpus("a", name) for name in ("i", "s", "c")]
    assert gib(4) == seen.reserved(0)


def _behind_a_full_node(name: str) -> Pod:
    """A pod that leaves so little of node 0 that the next lands on node 1."""
    return guaranteed(name, memory="9Gi")


def _init_then_app(name: str) -> Pod:
    """Init 4Gi, app 2Gi."""
    return guaranteed(name, memory="2Gi", init=[container("i", memory="4Gi")])

"""Pods of several containers, with init containers, and pods that are over, through a restart with the state kept."""

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
    remove,
    restart,
    sidecar,
    static,
)

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
RESTRICTED_POD = static(topology="restricted", scope="pod")
SINGLE_POD = static(topology="single-numa-node", scope="pod")
POD_CPU = [
    static(topology=policy, scope="pod", cpu="static") for policy in ("best-effort", "restricted", "single-numa-node")
]

OTHER = admit(besteffort("other"))


def with_init(name: str, init: str, app: str) -> Pod:
    """A pod whose init container `i` and app container `c` ask for these amounts of memory."""
    return guaranteed(name, memory=app, init=[container("i", memory=init)])


@case("MM-RESTART-012", machines="two_even", kubelet=[RESTRICTED_POD, SINGLE_POD, *POD_CPU])
def test_pod_of_two_containers_stays_on_its_node(prove: Prove) -> None:
    """A pod of two containers stays where it is, although the node that was full when it came has room by now."""
    a = guaranteed("a", containers=[container("c", memory="3Gi", cpu="2"), container("d", memory="2Gi", cpu="2")])
    seen = prove(admit(guaranteed("x", memory="8Gi", cpu="2")), admit(a), remove("x"), OTHER, restart())

    assert seen.admitted("a")
    assert [block(1, memory="3Gi")] == seen.blocks("a", "c")
    assert [block(1, memory="2Gi")] == seen.blocks("a", "d")
    assert [0, gib(5)] == [seen.reserved(node) for node in (0, 1)]


@case("MM-RESTART-012", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_containers_on_different_nodes(prove: Prove) -> None:
    """Containers of one pod that were placed on different nodes stay on these."""
    a = guaranteed("a", containers=[container("c", memory="8Gi"), container("d", memory="7Gi")])
    seen = prove(admit(a), restart())

    assert [block(0, memory="8Gi")] == seen.blocks("a", "c")
    assert [block(1, memory="7Gi")] == seen.blocks("a", "d")


@case("MM-RESTART-012", machines="two_even", kubelet=[NONE, RESTRICTED, RESTRICTED_POD])
def test_sidecars_stay(prove: Prove) -> None:
    """A sidecar keeps its memory beside its pod's containers."""
    a = guaranteed("a", memory="4Gi", init=[sidecar("s", memory="3Gi")])
    seen = prove(admit(a), restart(), restart())

    assert [block(0, memory="3Gi")] == seen.blocks("a", "s")
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert [gib(7), 0] == [seen.reserved(node) for node in (0, 1)]


@case("MM-RESTART-013", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE, RESTRICTED_POD])
def test_app_of_a_pod_whose_init_is_over(prove: Prove) -> None:
    """Where there is room, a pod whose init container has done its work keeps running on its memory."""
    seen = prove(admit(with_init("a", init="2Gi", app="4Gi")), exits("a", "i"), restart())

    assert seen.admitted("a")
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert "0" == seen.mems("a")


@case("MM-RESTART-014", machines="one", kubelet=[NONE, RESTRICTED])
def test_finished_init_container_needs_no_room(prove: Prove) -> None:
    """A pod whose init container is over is not rejected because that would not fit beside its app container."""
    seen = prove(admit(with_init("a", init="6Gi", app="6Gi")), exits("a", "i"), restart())

    assert seen.admitted("a")


@case("MM-RESTART-014", machines="two_even", kubelet=[SINGLE, SINGLE_POD])
def test_finished_init_containers_of_two_pods(prove: Prove) -> None:
    """The report: two pods that fill a node each, init container and app container alike, and a restart."""
    seen = prove(
        admit(with_init("a", init="8Gi", app="8Gi")),
        exits("a", "i"),
        admit(with_init("b", init="8Gi", app="8Gi")),
        exits("b", "i"),
        restart(),
    )

    assert [True, True] == [seen.admitted(pod) for pod in "ab"]
    assert [gib(8), gib(8)] == [seen.reserved(node) for node in (0, 1)]


@case("MM-RESTART-015", machines="hugepages_even", kubelet=SINGLE_POD)
def test_huge_pages_of_an_init_container_alone(prove: Prove) -> None:
    """A pod that asks for more huge pages than one node has is no pod for one node, and never spoils the state.

    Only its init container asks for them: 1500Mi where a node has 1Gi.
    """
    init = container("i", memory="1Gi", hugepages={"2Mi": "1500Mi"})
    seen = prove(admit(guaranteed("a", memory="1Gi", init=[init])), restart())

    assert seen.rejected("a", after=1)
    assert seen.running


@case("MM-RESTART-016", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_finished_pods_do_not_come_back(prove: Prove) -> None:
    """A pod that has finished is not admitted again, and the next admission has its memory."""
    a = guaranteed("a", memory="6Gi", restart_policy="Never")
    seen = prove(
        admit(a),
        admit(guaranteed("b", memory="6Gi")),
        exits("a", "c"),
        restart(),
        admit(guaranteed("d", memory="10Gi")),
    )

    assert ["b"] == seen.pods(after=4)
    assert [block(0, memory="10Gi")] == seen.blocks("d")
    assert {"b": ["c"], "d": ["c"]} == seen.assigned()


@case("MM-RESTART-016", machines="two_even", kubelet=[NONE, SINGLE])
def test_rejected_pods_do_not_come_back(prove: Prove) -> None:
    """A pod that was rejected stays so: a restart does not try it again, although it would fit by now."""
    seen = prove(
        admit(guaranteed("a", memory="6Gi")),
        admit(guaranteed("b", memory="6Gi")),
        admit(guaranteed("x", memory="8Gi")),
        remove("a"),
        OTHER,
        restart(),
    )

    assert seen.rejected("x", after=3)
    assert ["b", "other"] == seen.pods()
    assert {"b": ["c"]} == seen.assigned()


@case("MM-RESTART-016", machines="two_even", kubelet=[NONE, SINGLE])
def test_partial_allocation_is_given_back_after_a_restart(prove: Prove) -> None:
    """What a rejected pod's first container got survives a restart, as the file has it, and goes with the next pod."""
    x = guaranteed("x", containers=[container("c", memory="6Gi"), container("d", memory="11Gi")])
    seen = prove(admit(x), restart(), OTHER)

    assert [gib(6), 0] == [seen.reserved(node, after=2) for node in (0, 1)]
    assert {} == seen.assigned()
    assert [0, 0] == [seen.reserved(node) for node in (0, 1)]


@case("MM-RESTART-017", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pods_that_vanished_are_collected_later(prove: Prove) -> None:
    """Memory of a removed pod is neither lost nor handed out while the others are admitted again; then it is free."""
    seen = prove(
        admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi")), remove("a"), restart(), OTHER
    )

    assert [gib(6), gib(6)] == [seen.reserved(node, after=4) for node in (0, 1)]
    assert {"b": ["c"]} == seen.assigned()
    assert [gib(10), gib(4)] == [seen.free(node) for node in (0, 1)]


@case("MM-RESTART-017", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pod_of_the_same_name_is_another_pod(prove: Prove) -> None:
    """A pod that comes under the name of one that is gone is placed anew, not given the other's blocks."""
    seen = prove(
        admit(guaranteed("x", memory="8Gi")),
        admit(guaranteed("a", memory="6Gi")),
        remove("a"),
        remove("x"),
        restart(),
        admit(guaranteed("a", memory="5Gi")),
    )

    assert {"a": ["c"]} == seen.assigned()
    assert [block(0, memory="5Gi")] == seen.blocks("a")

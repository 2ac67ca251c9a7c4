"""How a pod comes to its node does not matter to the managers: the scheduler, a controller or a manifest on the node."""

from __future__ import annotations

from pinproof.scenario.pod import Way
from pinproof.suite import Prove, admit, block, brought, case, guaranteed, remove, replacement, restart, static

NONE, RESTRICTED, SINGLE = static(), static(topology="restricted"), static(topology="single-numa-node")
SINGLE_CPU = static(topology="single-numa-node", cpu="static")

AFFINITY = "TopologyAffinityError"
WAYS: tuple[tuple[str, Way], ...] = (("a", "scheduler"), ("b", "Deployment"), ("c", "DaemonSet"), ("d", "static"))


@case("MM-WAY-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pods_that_the_scheduler_places_are_pinned(prove: Prove) -> None:
    """The second does not fit beside the first."""
    seen = prove(*(admit(brought(guaranteed(name, memory="6Gi"), by="scheduler")) for name in "ab"))

    assert ([block(0, memory="6Gi")], [block(1, memory="6Gi")]) == (seen.blocks("a"), seen.blocks("b"))
    assert ("0", "1") == (seen.mems("a"), seen.mems("b"))


@case("MM-WAY-001", machines="two_even", kubelet=SINGLE)
def test_scheduler_places_what_no_numa_node_can_hold(prove: Prove) -> None:
    """It counts the node's 20Gi, and knows nothing of the two nodes with 10Gi each."""
    seen = prove(admit(brought(guaranteed("a", memory="12Gi"), by="scheduler")))

    assert seen.rejected("a")
    assert [AFFINITY] == [reason for reason, _ in seen.warnings("a")]


@case("MM-WAY-001", machines="two_even", kubelet=[NONE, SINGLE_CPU])
def test_every_way_leads_to_the_same_books(prove: Prove) -> None:
    """Four pods of 3Gi that come in four ways: three fill the first node, and the fourth goes to the second."""
    seen = prove(*(admit(brought(guaranteed(name, memory="3Gi"), by=way)) for name, way in WAYS))

    assert [[block(0, memory="3Gi")]] * 3 == [seen.blocks(name) for name in "abc"]
    assert [block(1, memory="3Gi")] == seen.blocks("d")
    assert (1, 1) == (seen.made("b"), seen.made("c"))


@case("MM-WAY-001", machines="two_even", kubelet=NONE)
def test_static_pod_stays_where_it_is(prove: Prove) -> None:
    """Its manifest is still there when the kubelet comes back, and its memory is where it was."""
    before = [admit(guaranteed("a", memory="6Gi")), admit(brought(guaranteed("b", memory="6Gi"), by="static"))]
    seen = prove(*before, remove("a"), restart())

    assert [block(1, memory="6Gi")] == seen.blocks("b")


@case("MM-WAY-002", machines="two_even", kubelet=SINGLE)
def test_deployment_makes_a_pod_for_every_rejected_one(prove: Prove) -> None:
    """Nothing changes between them, so that the row would have no end: three were rejected, and the fourth waits."""
    first = brought(guaranteed("a", memory="12Gi"), by="Deployment")
    second, third = replacement("b", of=first), replacement("c", of=first)
    seen = prove(admit(first), admit(second), admit(third))

    assert [2, 3, 4] == [seen.made("a", after=step) for step in (1, 2, 3)]
    assert [True] * 3 == [seen.rejected(name) for name in "abc"]
    assert [AFFINITY] == [reason for reason, _ in seen.warnings("c")]


@case("MM-WAY-002", machines="two_even", kubelet=SINGLE)
def test_daemon_set_makes_a_pod_for_every_rejected_one(prove: Prove) -> None:
    """Its controller deletes the rejected pod, of which only the event is left to its user."""
    first = brought(guaranteed("a", memory="12Gi"), by="DaemonSet")
    seen = prove(admit(first), admit(replacement("b", of=first)))

    assert [2, 3] == [seen.made("a", after=step) for step in (1, 2)]
    assert [AFFINITY] == [reason for reason, _ in seen.warnings("b")]


@case("MM-WAY-002", machines="two_even", kubelet=SINGLE)
def test_replacement_gets_the_room_that_the_rejected_pod_did_not_have(prove: Prove) -> None:
    """8Gi are free, 4Gi on each node; when one pod is gone a node has 10Gi, and the next pod of the Deployment fits."""
    wide = brought(guaranteed("c", memory="8Gi"), by="Deployment")
    before = [admit(guaranteed(name, memory="6Gi")) for name in "ab"]
    seen = prove(*before, admit(wide), remove("a"), admit(replacement("d", of=wide)))

    assert seen.rejected("c")
    assert [block(0, memory="8Gi")] == seen.blocks("d")
    assert 2 == seen.made("c")


@case("MM-WAY-002", machines="two_even", kubelet=NONE)
def test_pod_that_is_rejected_at_a_restart_is_made_again(prove: Prove) -> None:
    """A pod on two nodes runs until the kubelet comes back with single-numa-node; what is made for it is rejected as well."""
    first = brought(guaranteed("a", memory="12Gi"), by="Deployment")
    seen = prove(admit(first), restart(kubelet=SINGLE), admit(replacement("b", of=first)))

    assert [1, 2, 3] == [seen.made("a", after=step) for step in (1, 2, 3)]
    assert seen.rejected("b")

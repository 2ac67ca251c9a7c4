"""Memory beside another hint provider, such as a device plugin. Subjects inside the kubelet's process can have one."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, hinted, restart, static

RESTRICTED = static(topology="restricted")
RESTRICTED_POD = static(topology="restricted", scope="pod")
SINGLE = static(topology="single-numa-node")
BEST_EFFORT = static(topology="best-effort")
NONE = static()

SMALL = guaranteed("a", memory="4Gi")


@case("MM-PROVIDER-001", machines="two_even", kubelet=[RESTRICTED, RESTRICTED_POD, SINGLE, BEST_EFFORT])
def test_memory_follows_the_device(prove: Prove) -> None:
    """A device of node 1 brings the memory there, although node 0 is empty, and it stays there at a restart."""
    seen = prove(admit(hinted(SMALL, gpu=[((1,), True), ((0, 1), False)])), restart())

    assert [block(1, memory="4Gi")] == seen.blocks("a")


@case("MM-PROVIDER-001", machines="two_even", kubelet=NONE)
def test_device_decides_nothing_without_a_policy(prove: Prove) -> None:
    """Policy none asks nobody."""
    seen = prove(admit(hinted(SMALL, gpu=[((1,), True)])))

    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-PROVIDER-002", machines="two_even", kubelet=[RESTRICTED, RESTRICTED_POD, SINGLE])
def test_impossible_device_rejects_the_pod(prove: Prove) -> None:
    """An empty list of hints is a resource that no node can serve."""
    seen = prove(admit(hinted(SMALL, gpu=[])))

    verdict = seen.verdict("a")
    assert verdict is not None
    assert "TopologyAffinityError" == verdict.reason


@case("MM-PROVIDER-002", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_devices_of_different_nodes_reject_the_pod(prove: Prove) -> None:
    """Two devices that have no node in common."""
    seen = prove(admit(hinted(SMALL, gpu=[((0,), True)], nic=[((1,), True)])))

    assert seen.rejected("a")


@case("MM-PROVIDER-003", machines="two_even", kubelet=[RESTRICTED, SINGLE, BEST_EFFORT])
def test_device_without_preference(prove: Prove) -> None:
    """A provider that says nothing changes nothing."""
    seen = prove(admit(hinted(SMALL, gpu=None)))

    assert [block(0, memory="4Gi")] == seen.blocks("a")

"""Pods with pod-level resources on a kubelet whose resource managers do not serve them."""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, container, guaranteed, pod_level, restart, static

NONE = static()
RESTRICTED = static(topology="restricted")
SINGLE_POD = static(topology="single-numa-node", scope="pod")


def without(*gates: str) -> dict[str, bool]:
    """`PodLevelResources` switched off, and with it what depends on it in a release."""
    return {"PodLevelResources": False, **dict.fromkeys(gates, False)}


@case("MM-PODLEVEL-001", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE_POD], since="1.34")
def test_pod_runs_unpinned(prove: Prove) -> None:
    """It is admitted, its containers may run anywhere, and no memory is counted."""
    seen = prove(admit(pod_level("a", container(memory="4Gi", cpu="1"), memory="6Gi", cpu="2")))

    assert seen.admitted("a")
    assert ("", {}) == (seen.mems("a"), seen.assigned())
    assert seen.allocatable(0) == seen.free(0)


@case("MM-PODLEVEL-001", machines="two_even", kubelet=[RESTRICTED, SINGLE_POD], since="1.34")
def test_pod_stays_unpinned_at_a_restart(prove: Prove) -> None:
    """A restart changes nothing, and a pinned pod beside it keeps its node."""
    whole = pod_level("a", container(memory="4Gi", cpu="1"), memory="6Gi", cpu="2")
    seen = prove(admit(whole), admit(guaranteed("b", memory="4Gi")), restart())

    assert {"b": ["c"]} == seen.assigned()
    assert seen.admitted("a")


@case("MM-PODLEVEL-002", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.34")
def test_request_of_the_pod_counts_against_the_node(prove: Prove) -> None:
    """Containers that fit do not help a pod that asks for more than the node has."""
    seen = prove(admit(pod_level("a", container(memory="1Gi", cpu="1"), memory="30Gi", cpu="2")))

    assert seen.rejected("a")


@case(
    "MM-PODLEVEL-003",
    machines="two_even",
    kubelet=static(gates=without(), slug="static_off"),
    since="1.34",
    until="1.35",
)
def test_pod_is_rejected_without_the_feature(prove: Prove) -> None:
    """The kubelet says so, in the last of its checks."""
    seen = prove(admit(pod_level("a", container(memory="1Gi", cpu="1"), memory="2Gi", cpu="2")))

    verdict = seen.verdict("a")
    assert verdict is not None
    assert "PodLevelResourcesNotSupported" == verdict.reason


@case(
    "MM-PODLEVEL-003",
    machines="two_even",
    kubelet=static(gates=without("InPlacePodLevelResourcesVerticalScaling"), slug="static_off"),
    since="1.36",
    until="1.36",
)
def test_pod_is_rejected_and_left_alone_without_the_feature(prove: Prove) -> None:
    """From 1.36 the resource managers have not touched it by then."""
    seen = prove(admit(pod_level("a", container(memory="1Gi", cpu="1"), memory="2Gi", cpu="2")))

    assert (seen.rejected("a"), {}) == (True, seen.assigned())

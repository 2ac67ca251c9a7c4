"""Decisions that neither the other suites nor drawn scenarios reach often: found by looking for what nothing had reached."""

from __future__ import annotations

from dataclasses import replace

from pinproof.history import Hint
from pinproof.scenario.machine import Machine
from pinproof.scenario.topologies import machine
from pinproof.suite import (
    Prove,
    Seen,
    admit,
    besteffort,
    block,
    case,
    container,
    gib,
    guaranteed,
    hinted,
    pod_level,
    replaced,
    restart,
    sidecar,
    static,
)

GATE = {"PodLevelResourceManagers": True}
BEST_EFFORT = static(topology="best-effort")
CLOSEST = static(topology="best-effort", options={"prefer-closest-numa-nodes": "true"}, slug="static-closest")
UNMANAGED = static(topology="best-effort", scope="pod")
MANAGED = static(topology="best-effort", scope="pod", gates=GATE, slug="static-managed")
NONE = static()

NOTHING_RESERVED = static(
    memory_manager_policy="BestEffort",
    reserved={},
    kube_reserved={},
    eviction_hard={},
    slug="besteffort-nothing-reserved",
)

OWN = container("own", memory="2Gi", cpu="1")
SHARED = container("shared", cpu=None)
ODD = "1073741824500m"
"""Half a byte more than 1Gi: no number of bytes."""


@case("MM-PROVIDER-001", machines="three", kubelet=[BEST_EFFORT, CLOSEST])
def test_wide_hint_before_a_narrow_one(prove: Prove) -> None:
    """A provider may name its widest set first; the narrow one is taken all the same."""
    seen = prove(admit(hinted(besteffort("a"), gpu=[((0, 1), False), ((0,), False)])))

    assert [((0,), False)] == merged(seen)


@case("MM-PROVIDER-001", machines="three", kubelet=BEST_EFFORT)
def test_sets_wider_than_every_resource_needs(prove: Prove) -> None:
    """Of two resources one needs two nodes: no set of one and no set of three comes closer."""
    seen = prove(
        admit(
            hinted(
                besteffort("a"),
                gpu=[((0, 1, 2), False), ((0, 1), False)],
                nic=[((0,), False), ((0, 1, 2), False)],
            )
        )
    )

    assert [((0, 1), False)] == merged(seen)


def merged(seen: Seen) -> list[Hint | None]:
    """What the Topology Manager made of the hints, for each container."""
    return [hinted.merged for hinted in seen.observation().hints or ()]


@case("MM-WINDOWS-002", machines="two_even", kubelet=NOTHING_RESERVED, since="1.32")
def test_nothing_is_reserved_on_windows(prove: Prove) -> None:
    """Policy BestEffort wants a reservation as policy Static does, even one that nothing asks for."""
    seen = prove(machine=replace(machine("two_even"), os="windows"))

    assert "you should specify the system reserved memory" in seen.refusal


@case("MM-PODLEVEL-005", machines="two_even", kubelet=MANAGED, since="1.36")
def test_sidecars_that_leave_nothing_for_an_init_container(prove: Prove) -> None:
    """What sidecars have is gone for the init containers after them too."""
    init = [sidecar("side", memory="6Gi", cpu="1"), container("first", cpu=None)]
    seen = prove(admit(pod_level("a", SHARED, init=init, memory="6Gi", cpu="2")))

    verdict = seen.verdict("a")
    assert verdict is not None
    assert verdict.message.endswith("pod has shared init containers but no memory available for them")


@case("MM-PODLEVEL-004", machines="two_even", kubelet=MANAGED, since="1.36")
def test_request_of_a_pod_that_is_no_number_of_bytes(prove: Prove) -> None:
    """A pod whose own request cannot be read is admitted, and pinned nowhere."""
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="4294967296500m", cpu="2")))

    assert {} == seen.assigned()


@case("MM-PODLEVEL-004", machines="two_even", kubelet=MANAGED, since="1.36")
def test_request_of_a_managed_container_that_is_no_number_of_bytes(prove: Prove) -> None:
    """A container whose request cannot be read costs its pod the admission, init container or not."""
    odd = container("odd", memory=ODD, cpu="1")
    seen = prove(
        admit(pod_level("a", odd, SHARED, memory="4Gi", cpu="2")),
        admit(pod_level("b", SHARED, init=[odd], memory="4Gi", cpu="2")),
    )

    assert (True, True) == (seen.rejected("a"), seen.rejected("b"))


@case("MM-RESTART-042", machines="two_even", kubelet=MANAGED, since="1.36")
def test_node_of_a_managed_pod_is_gone_after_a_restart(prove: Prove) -> None:
    """Books of nodes that are not there any more are refused, those of pods as those of containers."""
    one = replace(machine("two_even"), nodes=machine("two_even").nodes[:1])
    seen = prove(
        admit(pod_level("a", OWN, SHARED, memory="15Gi", cpu="2")),
        restart(machine=one, kubelet=MANAGED),
    )

    assert seen.refusal


@case("MM-PODLEVEL-007", machines="two_even", kubelet=UNMANAGED, since="1.36")
def test_managers_of_pods_are_switched_on_and_off_again(prove: Prove) -> None:
    """The file of a kubelet without pod-level managers is taken over with all its blocks."""
    seen = prove(
        admit(guaranteed("a", memory="4Gi")),
        restart(kubelet=MANAGED),
        admit(pod_level("b", OWN, memory="2Gi", cpu="2")),
    )

    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert gib(6) == seen.reserved(0)


@case("MM-RESTART-041", machines="two_even", kubelet=NONE)
def test_pages_of_another_size_after_a_restart(prove: Prove) -> None:
    """As many memory types as before, but others: the file is not this machine's."""
    seen = prove(
        admit(guaranteed("a", memory="4Gi")),
        restart(machine=_with_pages(1 << 30, 1), kubelet=NONE),
        machine=_with_pages(2 << 20, 512),
    )

    assert seen.refusal


def _with_pages(size: int, number: int) -> Machine:
    """Two nodes with huge pages of one size."""
    two = machine("two_even")
    return replace(two, nodes=tuple(replace(node, hugepages=((size, number),)) for node in two.nodes))


NO_TABLES = (
    '{"policyName":"Static","machineState":{'
    '"0":{"numberOfAssignments":0,"memoryMap":null,"cells":[0]},'
    '"1":{"numberOfAssignments":0,"memoryMap":null,"cells":[1]}},"entries":{},"checksum":0}'
)


@case("MM-RESTART-035", machines="two_even", kubelet=[NONE, MANAGED], since="1.36")
def test_file_whose_nodes_have_no_memory(prove: Prove) -> None:
    """A file that speaks of nodes and not of their memory is not this machine's."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), restart(state=replaced(NO_TABLES)))

    assert seen.refusal

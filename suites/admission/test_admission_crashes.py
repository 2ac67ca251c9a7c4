"""Pods that end the kubelet instead of being rejected. The judge tells of every such end (I-9); here are those that are known."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, guaranteed, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")


def numbered(machine: Machine, *ids: int) -> Machine:
    """The machine with other numbers on its nodes."""
    return replace(machine, nodes=tuple(replace(n, id=number) for n, number in zip(machine.nodes, ids, strict=True)))


@case("MM-CRASH-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_page_size_that_the_machine_does_not_have(prove: Prove) -> None:
    """The pod is rejected, since the node has no such pages."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"1Gi": "1Gi"})))

    assert seen.running, seen.refusal
    assert seen.rejected("a")


@case("MM-CRASH-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_node_number_above_63(prove: Prove) -> None:
    """It has memory like any other node."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), machine=numbered(prove.machine, 0, 64))

    assert seen.running, seen.refusal


@case("MM-CRASH-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_node_number_63(prove: Prove) -> None:
    """The last number that a kubelet can count with: the pod is served, and found again."""
    seen = prove(admit(guaranteed("a", memory="15Gi")), restart(), machine=numbered(prove.machine, 0, 63))

    assert [block((0, 63), memory="15Gi")] == seen.blocks("a")

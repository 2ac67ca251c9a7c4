"""A2: pods that span nodes come and go, and the kubelet refuses its own state at the next start.

Symptom: "the expected machine state is different from the real one" after an ordinary create and delete. Cause: memory of a
group is charged to its nodes from the lowest on and given back in the same way, so that a replay of what is left splits it
otherwise; the books were compared node by node. Releases: up to 1.31; from 1.32 the sums of a group are compared (#127074).
https://github.com/kubernetes/kubernetes/issues/113130
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, besteffort, block, case, gib, guaranteed, mib, remove, restart, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
OTHER = admit(besteffort("other"))
"""Any admission gives back what removed pods had."""


def with_memory(machine: Machine, memory: int) -> Machine:
    """The machine with so many bytes of `MemTotal` on every node."""
    return replace(machine, nodes=tuple(replace(node, memory=memory) for node in machine.nodes))


@case("MM-RESTART-009", machines="two_even", kubelet=NONE)
def test_sequence_of_the_report(prove: Prove) -> None:
    """Two nodes of 220G: 240G and 20G come, the second goes, 10G come."""
    seen = prove(
        admit(guaranteed("p1", memory="240G")),
        admit(guaranteed("p2", memory="20G")),
        remove("p2"),
        admit(guaranteed("p3", memory="10G")),
        restart(),
        machine=with_memory(prove.machine, 220_000_000_000 + mib(512)),
    )

    assert seen.running
    assert [block((0, 1), memory="240G")] == seen.blocks("p1")
    assert [block((0, 1), memory="10G")] == seen.blocks("p3")
    assert 250_000_000_000 == seen.reserved(0) + seen.reserved(1)


@case("MM-RESTART-009", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_one_of_two_is_deleted(prove: Prove) -> None:
    """12Gi and 8Gi over two nodes of 10Gi; the first goes. The second start reads what the first one wrote."""
    pods = [admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="8Gi"))]
    seen = prove(*pods, remove("a"), OTHER, restart(), restart())

    assert seen.running
    assert (gib(8), gib(12)) == (seen.reserved(0) + seen.reserved(1), seen.free(0) + seen.free(1))


@case("MM-RESTART-009", machines="three", kubelet=NONE)
def test_group_of_three_nodes(prove: Prove) -> None:
    """25Gi and 4Gi over three nodes of 10Gi; the first goes."""
    pods = [admit(guaranteed("a", memory="25Gi")), admit(guaranteed("b", memory="4Gi"))]
    seen = prove(*pods, remove("a"), OTHER, restart())

    assert seen.running
    assert [block((0, 1, 2), memory="4Gi")] == seen.blocks("b")
    assert gib(4) == sum(seen.reserved(node) for node in (0, 1, 2))


@case("MM-RESTART-009", machines="hugepages_even", kubelet=NONE)
def test_huge_pages_alone_are_split_otherwise(prove: Prove) -> None:
    """The books of memory agree, those of 2Mi pages do not: 1536Mi and 256Mi of them, and the first goes."""
    pods = [
        admit(guaranteed("a", memory="12Gi", hugepages={"2Mi": "1536Mi"})),
        admit(guaranteed("b", memory="1Gi", hugepages={"2Mi": "256Mi"})),
    ]
    seen = prove(*pods, remove("a"), OTHER, restart())

    assert seen.running
    assert mib(256) == sum(seen.reserved(node, "hugepages-2Mi") for node in (0, 1))


@case("MM-RESTART-008", machines="two_even", kubelet=NONE)
def test_group_that_nobody_left(prove: Prove) -> None:
    """The control: with nobody deleted the replay comes to the same split on every release."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="8Gi")), restart(), restart())

    assert seen.running
    assert [gib(10), gib(10)] == [seen.reserved(0), seen.reserved(1)]

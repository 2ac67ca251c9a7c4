"""F3: NUMA node ids that do not begin at 0, or have gaps.

Symptom: the kubelet panics at its start, with topology manager policy none too. Cause: ids were taken for positions in a
list. Releases: a pre-release of 1.26 has it; a panic of the same kind is left with `prefer-closest-numa-nodes`.
https://github.com/kubernetes/kubernetes/issues/113781
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, guaranteed, mib, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")
RESERVED_ON_8 = static(topology="restricted", reserved={8: "1Gi"}, slug="reserved_on_8")
CLOSEST = static(topology="best-effort", options={"prefer-closest-numa-nodes": "true"})


def numbered(machine: Machine, *ids: int) -> Machine:
    """The machine with other numbers on its first nodes."""
    nodes = tuple(replace(node, id=number) for node, number in zip(machine.nodes, ids, strict=False))
    return replace(machine, nodes=tuple(replace(n, distances=n.distances and n.distances[: len(ids)]) for n in nodes))


@case("MM-PIN-020", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_only_node_is_node_1(prove: Prove) -> None:
    """A machine with a single node, number 1."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), restart(), machine=numbered(prove.machine, 1))

    assert ([block(1, memory="4Gi")], "1") == (seen.blocks("a"), seen.mems("a"))


@case("MM-PIN-020", machines="two_even", kubelet=RESERVED_ON_8)
def test_nodes_0_and_8(prove: Prove) -> None:
    """As on POWER servers: the reservation is on node 8, and a pod that needs both is told both."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), restart(), machine=numbered(prove.machine, 0, 8))

    assert (0, mib(1024)) == (seen.system_reserved(0), seen.system_reserved(8))
    assert ([block((0, 8), memory="12Gi")], "0,8") == (seen.blocks("a"), seen.mems("a"))


@case("MM-PIN-020", machines="three", kubelet=[NONE, RESTRICTED])
def test_nodes_2_5_and_9(prove: Prove) -> None:
    """A pod for one node, and one that the two others must share."""
    one, two = admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="12Gi"))
    seen = prove(one, two, restart(), machine=numbered(prove.machine, 2, 5, 9))

    assert ([block(2, memory="6Gi")], [block((5, 9), memory="12Gi")]) == (seen.blocks("a"), seen.blocks("b"))
    assert ("2", "5,9") == (seen.mems("a"), seen.mems("b"))


@case("MM-REG-F3-001", machines="ids_gaps", kubelet=CLOSEST)
def test_closest_of_nodes_with_gaps(prove: Prove) -> None:
    """Distances are looked up by number too: a pod that needs two of the nodes 0, 2 and 5 does not end the kubelet."""
    seen = prove(admit(guaranteed("a", memory="12Gi")))

    assert seen.running, seen.refusal
    assert seen.admitted("a")

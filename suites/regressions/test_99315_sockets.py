"""F6: sockets are not NUMA nodes.

Symptom: a socket that is several NUMA nodes (SNC, NPS, CoD) was taken for one, or several sockets of one node for several.
Cause: nodes were told apart by their package. Releases: before 1.21; all nine read the kernel's nodes.
https://github.com/kubernetes/kubernetes/pull/99315
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, gib, guaranteed, static

NONE = static()
CPU = static(topology="restricted", cpu="static")


def one_socket(machine: Machine) -> Machine:
    """The machine with all its nodes in socket 0."""
    return replace(machine, nodes=tuple(replace(node, socket=0) for node in machine.nodes))


@case("MM-REG-F6-001", machines=["four_snc2", "eight_nps4"], kubelet=[NONE, CPU])
def test_nodes_are_the_kernels(prove: Prove) -> None:
    """Two sockets of two nodes, and two of four: as many books as nodes, and a pod that fills one of them."""
    size = prove.machine.nodes[0].memory - (512 << 20)
    seen = prove(admit(guaranteed("a", memory=str(size))))

    assert {node.id for node in prove.machine.nodes} == set(seen.observation().machine or {})
    assert (0, size) == (seen.free(0), seen.reserved(0))


@case("MM-REG-F6-001", machines=["two_even", "four_snc2"], kubelet=[NONE, CPU])
def test_one_socket_of_several_nodes(prove: Prove) -> None:
    """The nodes stay apart: a pod larger than one of them needs two."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), machine=one_socket(prove.machine))

    assert [block((0, 1), memory="12Gi")] == seen.blocks("a")


@case("MM-REG-F6-001", machines="one", kubelet=[NONE, CPU])
def test_single_node(prove: Prove) -> None:
    """One node has one book."""
    seen = prove(admit(guaranteed("a", memory="10Gi")))

    assert ([0], gib(10)) == (sorted(seen.observation().machine or {}), seen.reserved(0))

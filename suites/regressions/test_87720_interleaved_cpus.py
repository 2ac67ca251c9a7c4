"""J6: CPUs whose numbers alternate between two NUMA nodes.

Symptom: the CPU manager's own end-to-end tests fail on a usual server of two sockets. Cause: they took numbers next to each
other for CPUs of one node; on many machines node 0 has the even ones. Releases: it was the tests; all nine kubelets look.
https://github.com/kubernetes/kubernetes/issues/87720
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, guaranteed, restart, static

RESTRICTED = static(topology="restricted", cpu="static")
SINGLE = static(topology="single-numa-node", cpu="static")


def alternating(machine: Machine) -> Machine:
    """Sixteen CPUs, the even ones on node 0 and the odd ones on node 1."""
    return replace(machine, nodes=tuple(replace(node, cpus=CpuSet(range(node.id, 16, 2))) for node in machine.nodes))


@case("MM-PIN-013", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_cpus_and_memory_of_one_node(prove: Prove) -> None:
    """CPU 0 is the system's: six even CPUs go to the first pod with node 0, six odd ones to the second with node 1."""
    pods = [admit(guaranteed(name, cpu="6", memory="4Gi")) for name in "ab"]
    seen = prove(*pods, restart(), machine=alternating(prove.machine))

    assert ([block(0, memory="4Gi")], [block(1, memory="4Gi")]) == (seen.blocks("a"), seen.blocks("b"))
    assert ("2,4,6,8,10,12", "1,3,5,7,9,11") == (seen.cpus("a"), seen.cpus("b"))

"""A1: `MemTotal` of the NUMA nodes drifts from one boot to the next, and the kubelet does not start.

Symptom: after a reboot "the expected machine state is different from the real one", although nobody changed the machine.
Cause: the kernel lies elsewhere at each boot, which moves some megabytes between the nodes, and the total of every node is
compared to the byte. Releases: from 1.21 on; the fix is proposed as KEP-6232.
https://github.com/kubernetes/kubernetes/issues/131253
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, gib, guaranteed, mib, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")
REPORTED = 43696128
"""Bytes that node 2 of the report gained with one boot."""


def drifted(machine: Machine, amount: int) -> Machine:
    """The machine with so many bytes of node 0's `MemTotal` on node 1."""
    change = {0: -amount, 1: amount}
    return replace(machine, nodes=tuple(replace(n, memory=n.memory + change.get(n.id, 0)) for n in machine.nodes))


@case("MM-REG-A1-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_drift_of_the_report(prove: Prove) -> None:
    """A pod of 6Gi where it was, on nodes that have 41.7MiB less and more than before."""
    seen = prove(admit(guaranteed("a", memory="6Gi")), restart(machine=drifted(prove.machine, REPORTED)))

    assert seen.running
    assert [block(0, memory="6Gi")] == seen.blocks("a")


@case("MM-REG-A1-001", machines="two_even", kubelet=NONE)
def test_drift_of_a_page_without_pods(prove: Prove) -> None:
    """4096 bytes are on the other node; no pod is there that could care."""
    seen = prove(restart(machine=drifted(prove.machine, 4096)))

    assert seen.running


@case("MM-REG-A1-001", machines="two_even", kubelet=NONE)
def test_drift_of_the_largest_seen(prove: Prove) -> None:
    """52MiB, which OpenShift's own tests tolerate."""
    seen = prove(admit(guaranteed("a", memory="6Gi")), restart(machine=drifted(prove.machine, mib(52))))

    assert seen.running


@case("MM-REG-A1-002", machines="two_even", kubelet=NONE)
def test_no_drift(prove: Prove) -> None:
    """The control: the same machine starts, with a pod that fills a node."""
    full = admit(guaranteed("a", memory="10Gi"))
    seen = prove(full, restart(machine=drifted(prove.machine, 0)))

    assert seen.running
    assert 0 == seen.free(0)


@case("MM-REG-A1-002", machines="two_even", kubelet=NONE)
def test_memory_that_is_really_gone(prove: Prove) -> None:
    """A module of 4Gi that is gone is no drift, and is refused, however much is tolerated."""
    first, second = prove.machine.nodes
    smaller = replace(prove.machine, nodes=(replace(first, memory=first.memory - gib(4)), second))
    seen = prove(admit(guaranteed("a", memory="10Gi")), restart(machine=smaller))

    assert not seen.running
    assert "[memorymanager] the expected machine state is different from the real one" in seen.refusal

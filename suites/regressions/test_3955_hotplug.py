"""F8: CPUs or memory that go offline, or come, between two starts.

Symptom: memory that was added is noticed by a refusal alone. Cause: the machine is read once, at the start, and the state file
must fit it. Releases: all nine refuse other memory and accept other CPUs; KEP-3953 proposes to take resizes over.
https://github.com/kubernetes/enhancements/pull/3955
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, gib, guaranteed, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")


def without_cpus(machine: Machine, number: int) -> Machine:
    """The machine with all CPUs of a node offline."""
    return replace(machine, nodes=tuple(replace(n, cpus=CpuSet()) if n.id == number else n for n in machine.nodes))


def with_more_memory(machine: Machine, number: int) -> Machine:
    """The machine with 2Gi more on a node."""
    nodes = (replace(n, memory=n.memory + gib(2)) if n.id == number else n for n in machine.nodes)
    return replace(machine, nodes=tuple(nodes))


@case("MM-REG-F8-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_node_whose_cpus_are_offline(prove: Prove) -> None:
    """Its memory is still there: the pod keeps its node, and another one finds room beside it."""
    where = without_cpus(prove.machine, 1)
    first, second = admit(guaranteed("a", memory="9Gi")), admit(guaranteed("b", memory="6Gi"))
    seen = prove(first, second, restart(machine=where), admit(guaranteed("d", memory="2Gi")))

    assert [block(1, memory="6Gi")] == seen.blocks("b")
    assert [block(1, memory="2Gi")] == seen.blocks("d")


@case("MM-RESTART-041", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_memory_that_was_added(prove: Prove) -> None:
    """2Gi more on node 1, with and without a pod there: refused until the state file is removed."""
    grown = with_more_memory(prove.machine, 1)
    seen = prove(admit(guaranteed("a", memory="9Gi")), restart(machine=grown), restart(state="lose"))

    assert [False, True] == [seen.observation(step).running for step in (2, 3)]
    assert "[memorymanager] the expected machine state is different from the real one" in (seen.at(2).refusal)
    assert gib(12) == seen.allocatable(1)

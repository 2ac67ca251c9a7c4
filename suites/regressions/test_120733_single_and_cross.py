"""C1: allocations on one node and over several are mixed on the same node.

Symptom: whether a pod over both nodes is admitted depends on its CPUs, and a later one is `UnexpectedAdmissionError`. Cause:
where memory has no hint, since node 0 serves a pod alone, the hint of the CPUs chose both nodes, and nobody looked again
before the allocation. Releases: up to 1.31; from 1.32 the allocation looks (#123443).
https://github.com/kubernetes/kubernetes/issues/120733
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, guaranteed, mib, static

BEST_EFFORT, RESTRICTED = (static(topology=policy, cpu="static") for policy in ("best-effort", "restricted"))
BEST_EFFORT_SHARED = static(topology="best-effort")
SINGLE = static(topology="single-numa-node", cpu="static")

SMALL = admit(guaranteed("pod1", memory="512Mi", cpu="1"))
WIDE = admit(guaranteed("pod2", memory="1280Mi", cpu="3"))
SHARED = admit(guaranteed("pod2", memory="1280Mi", cpu="100m"))


def small(machine: Machine) -> Machine:
    """Two nodes with two CPUs and 1024Mi each for pods, as in the pull request; CPU 0 is the system's."""
    first, second = machine.nodes
    memory = mib(1024 + 512)
    nodes = (
        replace(first, memory=memory, cpus=CpuSet.parse("0-2")),
        replace(second, memory=memory, cpus=CpuSet.parse("3-4")),
    )
    return replace(machine, nodes=nodes)


@case("MM-REG-A3-001", machines="two_even", kubelet=[BEST_EFFORT, RESTRICTED, SINGLE])
def test_cpus_that_need_both_nodes(prove: Prove) -> None:
    """512Mi are on node 0; 1280Mi with three CPUs need both nodes, and are refused."""
    seen = prove(SMALL, WIDE, machine=small(prove.machine))

    assert seen.rejected("pod2")
    assert [(0,), (1,)] == [seen.cells(node) for node in (0, 1)]


@case("MM-REG-A3-001", machines="two_even", kubelet=BEST_EFFORT_SHARED)
def test_cpus_that_do_not_matter(prove: Prove) -> None:
    """The same with a fraction of a CPU: the answer does not depend on the CPUs."""
    seen = prove(SMALL, SHARED, machine=small(prove.machine))

    assert seen.rejected("pod2")
    assert [(0,), (1,)] == [seen.cells(node) for node in (0, 1)]


@case("MM-REG-A3-003", machines="two_even", kubelet=BEST_EFFORT_SHARED)
def test_other_order(prove: Prove) -> None:
    """The wide pod first: it has both nodes, and the small one joins it over both."""
    seen = prove(SHARED, SMALL, machine=small(prove.machine))

    assert [block((0, 1), memory="1280Mi")] == seen.blocks("pod2")
    assert [block((0, 1), memory="512Mi")] == seen.blocks("pod1")

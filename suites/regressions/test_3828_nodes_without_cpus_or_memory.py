"""F5: NUMA nodes without CPUs (HBM, CXL, GPU memory) and nodes without memory.

Symptom: undecided upstream. A node without CPUs stays in the machine's list and takes pods, whose CPUs are then always
remote; a node without memory has books of nothing. Releases: all nine do the same.
https://github.com/google/cadvisor/issues/3828
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, burstable, case, gib, guaranteed, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")
CPU, SINGLE_CPU = static(topology="restricted", cpu="static"), static(topology="single-numa-node", cpu="static")
LARGE = guaranteed("large", memory="15Gi")
"""Fits node 2 of `cxl`, which has no CPUs, and neither of the others."""


@case("MM-PIN-017", machines="cxl", kubelet=[NONE, RESTRICTED, CPU])
def test_pod_without_exclusive_cpus_may_have_a_node_without_cpus(prove: Prove) -> None:
    """A fraction of a CPU binds the pod to nothing, so the one node with room for it takes it, through a restart."""
    seen = prove(admit(LARGE), restart())

    assert ([block(2, memory="15Gi")], "2") == (seen.blocks("large"), seen.mems("large"))


@case("MM-PIN-017", machines="cxl", kubelet=[CPU, SINGLE_CPU])
def test_pod_with_exclusive_cpus_is_not_alone_there(prove: Prove) -> None:
    """Whole CPUs are of node 0 or 1, which cannot be aligned with memory of node 2."""
    seen = prove(admit(guaranteed("large", cpu="2", memory="15Gi")))

    answer = seen.verdict("large")
    assert answer is not None
    assert "TopologyAffinityError" == answer.reason
    assert {} == seen.assigned()


@case("MM-PIN-017", machines="cxl", kubelet=[NONE, RESTRICTED])
def test_small_pods_fill_nodes_with_cpus_first(prove: Prove) -> None:
    """Only by their numbers: three pods of 6Gi land on the nodes 0, 1 and 2."""
    seen = prove(*(admit(guaranteed(name, memory="6Gi")) for name in "abc"))

    assert ["0", "1", "2"] == [seen.mems(name) for name in "abc"]


@case("MM-PIN-018", machines="memoryless", kubelet=[NONE, RESTRICTED, CPU])
def test_node_without_memory_takes_none(prove: Prove) -> None:
    """Its books are zero, pods go around it, and a group leaves it out."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(burstable("b")), restart())

    assert [block((0, 2), memory="12Gi")] == seen.blocks("a")
    assert (0, 0, 0) == (seen.total(1), seen.allocatable(1), seen.assignments_on(1))


@case("MM-PODRES-018", machines="memoryless", kubelet=NONE)
def test_node_without_memory_is_not_offered(prove: Prove) -> None:
    """PodResources leaves out amounts of nothing."""
    memory = prove().allocatable_resources.memory

    assert [(0,), (2,)] == [each.affinity for each in memory]
    assert {gib(10)} == {each.size for each in memory}

"""F9: huge pages are the node's that has them.

Symptom: pages that one node has were offered on another. Cause: only the machine's sum was known; the kernel spreads a global
pool evenly, but nobody else has to. Releases: mended before the memory manager came; all nine read the pools of each node.
https://github.com/google/cadvisor/issues/2304
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, gib, guaranteed, mib, static

NONE, RESTRICTED = static(), static(topology="restricted")


@case("MM-HUGE-002", machines="hugepages_uneven", kubelet=NONE)
def test_pools_of_each_node(prove: Prove) -> None:
    """512 and 1024 pages of 2Mi, none and 4 of 1Gi."""
    seen = prove()

    assert (gib(1), gib(2)) == (seen.total(0, "hugepages-2Mi"), seen.total(1, "hugepages-2Mi"))
    assert (0, gib(4)) == (seen.total(0, "hugepages-1Gi"), seen.total(1, "hugepages-1Gi"))


@case("MM-HUGE-002", machines="hugepages_even", kubelet=NONE)
def test_odd_number_of_pages(prove: Prove) -> None:
    """513 pages over two nodes: one has a page more."""
    seen = prove(machine=with_pages(prove.machine, 257, 256))

    assert (mib(514), mib(512)) == (seen.allocatable(0, "hugepages-2Mi"), seen.allocatable(1, "hugepages-2Mi"))


@case("MM-HUGE-008", machines="hugepages_one_node", kubelet=[NONE, RESTRICTED])
def test_size_that_one_node_has(prove: Prove) -> None:
    """A pod with a page of 1Gi goes where it is."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"1Gi": "1Gi"})))

    assert [block(1, hugepages_1Gi="1Gi"), block(1, memory="1Gi")] == seen.blocks("a")


def with_pages(machine: Machine, *pages: int) -> Machine:
    """The machine with so many pages of 2Mi, and no others, on its nodes."""
    pairs = zip(machine.nodes, pages, strict=True)
    return replace(machine, nodes=tuple(replace(node, hugepages=((2 << 20, count),)) for node, count in pairs))

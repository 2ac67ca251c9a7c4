"""Memory that is touched on a node as it is, where its kernel has the NUMA nodes that its kubelet sees."""

from __future__ import annotations

from pinproof.scenario.cpuset import CpuSet
from pinproof.suite import Prove, admit, case, container, eighth, guaranteed, static

SINGLE = static(topology="single-numa-node", cpu="static")


@case("MM-CLUSTER-006", machines="two_even", kubelet=SINGLE, given=True)
def test_touched_memory_lies_on_the_nodes_of_the_blocks(prove: Prove) -> None:
    """Of both containers of a pod, each by its own block."""
    size = str(eighth(prove()))
    seen = prove(admit(guaranteed("a", containers=[container("c1", memory=size), container("c2", memory=size)])))
    if seen.observation().pages is None:
        prove.needs("a kernel with the NUMA nodes that its kubelet sees")

    for name in ("c1", "c2"):
        nodes = {node for block in seen.blocks("a", name) for node in block.affinity}
        lying = seen.pages("a", name)
        assert nodes == set(lying.nodes)
        assert nodes == set(CpuSet.parse(lying.allowed))

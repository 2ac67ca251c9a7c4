"""Pods on a node as it is: sizes are fractions of what is free, whatever the machine and whoever is there already."""

from __future__ import annotations

from pinproof.suite import Prove, admit, besteffort, case, eighth, guaranteed, remove, static

SINGLE = static(topology="single-numa-node", cpu="static")


@case("MM-CLUSTER-001", machines="two_even", kubelet=SINGLE, given=True)
def test_a_pod_that_fits_one_node_is_on_one_node(prove: Prove) -> None:
    """An eighth of the free memory of a node is taken from one node, and given back."""
    before = prove()
    size = eighth(before)
    seen = prove(admit(guaranteed("a", memory=str(size), cpu="1")), remove("a"), admit(besteffort("b")))

    (held,) = seen.blocks("a", after=1)
    assert ("memory", size) == (held.type, held.size)
    (node,) = held.affinity
    assert before.free(node) - size == seen.free(node, after=1)
    assert before.free(node) == seen.free(node, after=3)

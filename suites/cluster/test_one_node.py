"""Pods on a node as it is: sizes are fractions of what is free, whatever the machine and whoever is there already."""

from __future__ import annotations

from pinproof.suite import Prove, admit, besteffort, burstable, case, container, eighth, guaranteed, remove, static

SINGLE = static(topology="single-numa-node", cpu="static")


@case("MM-CLUSTER-001", machines="two_even", kubelet=SINGLE, given=True)
def test_a_pod_that_fits_one_node_is_on_one_node(prove: Prove) -> None:
    """An eighth of the free memory of a node is taken from one node, and given back when the next pod comes."""
    before = prove()
    size = eighth(before)
    seen = prove(admit(guaranteed("a", memory=str(size), cpu="1")), remove("a"), admit(besteffort("b")))

    blocks = seen.blocks("a", after=1)
    assert [("memory", size, 1)] == [(block.type, block.size, len(block.affinity)) for block in blocks]
    (node,) = blocks[0].affinity
    assert before.free(node) - size == seen.free(node, after=1) == seen.free(node, after=2)
    assert before.free(node) == seen.free(node, after=3)


@case("MM-CLUSTER-001", machines="two_even", kubelet=SINGLE, given=True)
def test_every_container_is_counted_by_itself(prove: Prove) -> None:
    """Two containers of an eighth each: two blocks, and as many assignments more."""
    before = prove()
    size = str(eighth(before))
    seen = prove(admit(guaranteed("a", containers=[container("c1", memory=size), container("c2", memory=size)])))

    blocks = [*seen.blocks("a", "c1"), *seen.blocks("a", "c2")]
    assert [int(size)] * 2 == [block.size for block in blocks]
    nodes = [node for block in blocks for node in block.affinity]
    assert 2 == len(nodes)
    for node in set(nodes):
        assert before.assignments_on(node) + nodes.count(node) == seen.assignments_on(node)
        assert before.reserved(node) + nodes.count(node) * int(size) == seen.reserved(node)


@case("MM-CLUSTER-001", machines="two_even", kubelet=SINGLE, given=True)
def test_pods_of_other_classes_take_nothing(prove: Prove) -> None:
    """Burstable and BestEffort pods change no book."""
    before = prove()
    seen = prove(admit(burstable("a", memory=str(eighth(before)))), admit(besteffort("b")))

    assert seen.admitted("a")
    assert seen.admitted("b")
    assert before.observation().machine == seen.observation().machine
    assert [] == seen.blocks("a")


@case("MM-CLUSTER-001", machines="two_even", kubelet=SINGLE, given=True)
def test_an_init_container_takes_nothing_more(prove: Prove) -> None:
    """What an init container had serves the app container: together they take the eighth once."""
    before = prove()
    size = str(eighth(before))
    seen = prove(
        admit(guaranteed("a", containers=[container(memory=size)], init=[container("i", memory=size)])),
    )

    assert [int(size)] == [block.size for block in seen.blocks("a", "c")]
    nodes = [node for block in seen.blocks("a", "c") for node in block.affinity]
    assert [before.free(node) - int(size) for node in nodes] == [seen.free(node) for node in nodes]
    assert 1 == len(nodes)

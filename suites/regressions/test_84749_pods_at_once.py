"""C9: pods that arrive together are given the same memory.

Symptom: three pods are created at once, and two are on one node that holds one. Cause: the choice of a node and its allocation
were not one step. Releases: 1.16 (#84749); since then one admission follows the other.
https://github.com/kubernetes/kubernetes/issues/84749
"""

from __future__ import annotations

from pinproof.suite import Prove, admit_together, block, case, gib, guaranteed, restart, static

RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")


@case("MM-REG-C9-001", machines="two_even", kubelet=SINGLE)
def test_more_than_fit(prove: Prove) -> None:
    """Twenty pods of 6Gi on two nodes of 10Gi: two are admitted, one on each node."""
    names = [f"p{number:02}" for number in range(20)]
    seen = prove(admit_together(*(guaranteed(name, memory="6Gi") for name in names)))
    admitted = [name for name in names if seen.admitted(name)]

    assert 2 == len(admitted)
    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == sorted(seen.blocks(name) for name in admitted)
    assert [gib(4), gib(4)] == [seen.free(node) for node in (0, 1)]


@case("MM-REG-C9-001", machines="two_even", kubelet=RESTRICTED)
def test_as_many_as_fit(prove: Prove) -> None:
    """Twenty pods of 1Gi fill the machine to the last byte; a restart brings them all back."""
    names = [f"p{number:02}" for number in range(20)]
    seen = prove(admit_together(*(guaranteed(name, memory="1Gi") for name in names)), restart())

    assert [True] * 20 == [seen.admitted(name) for name in names]
    assert [0, 0] == [seen.free(node) for node in (0, 1)]

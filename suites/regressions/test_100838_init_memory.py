"""D1: memory of init containers was added to that of the app containers.

Symptom: a pod that fits is rejected, and the node looks fuller than it is. Cause: every container was charged for itself,
although init containers are over before an app container starts. Releases: 1.21 has it; reuse came with 1.22.
https://github.com/kubernetes/kubernetes/issues/100838
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, exits, gib, guaranteed, static

NONE, RESTRICTED = static(), static(topology="restricted")
SINGLE = static(topology="single-numa-node")


@case("MM-INIT-003", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_sizes_of_the_report(prove: Prove) -> None:
    """Init containers of 1 and 2Gi and an app of 4Gi: the node is charged 4Gi, not 7Gi."""
    init = [container("i1", memory="1Gi"), container("i2", memory="2Gi")]
    seen = prove(admit(guaranteed("a", memory="4Gi", init=init)))

    assert gib(4) == seen.reserved(0)


@case("MM-INIT-003", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_pod_that_fits_only_because_of_reuse(prove: Prove) -> None:
    """Init 6 and app 6 on a node of 10Gi: both run there, one after the other."""
    seen = prove(admit(guaranteed("a", memory="6Gi", init=[container("i", memory="6Gi")])), exits("a", "i"))

    assert seen.admitted("a")
    assert ("0", "0") == (seen.mems("a", "i"), seen.mems("a"))
    assert (gib(6), 0) == (seen.reserved(0), seen.reserved(1))


@case("MM-INIT-003", machines="two_even", kubelet=NONE)
def test_surplus_of_init_is_given_back(prove: Prove) -> None:
    """Init 6 and app 2: 6Gi while the init container runs, 2Gi once the app does."""
    a = guaranteed("a", memory="2Gi", init=[container("i", memory="6Gi")])
    seen = prove(admit(a), exits("a", "i"))

    assert [gib(6), gib(2)] == [seen.reserved(0, after=step) for step in (1, 2)]


@case("MM-INIT-003", machines="two_even", kubelet=RESTRICTED)
def test_memory_of_another_node_is_not_reused(prove: Prove) -> None:
    """Init on node 0, where another pod leaves 1Gi, and the app on node 1: nothing is shared, and the app gives nothing back."""
    a = guaranteed("a", memory="2Gi", init=[container("i", memory="1Gi")])
    seen = prove(admit(guaranteed("x", memory="9Gi")), admit(a), exits("a", "i"))

    assert [block(1, memory="2Gi")] == seen.blocks("a")
    assert [(gib(10), gib(2)), (gib(9), gib(2))] == [
        (seen.reserved(0, after=step), seen.reserved(1, after=step)) for step in (2, 3)
    ]

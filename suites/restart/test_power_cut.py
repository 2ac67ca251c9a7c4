"""The node loses its power: files stay, containers do not, and every pod comes back as it was."""

from __future__ import annotations

from pinproof.scenario.steps import Step
from pinproof.suite import Prove, admit, besteffort, block, case, guaranteed, remove, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")
SINGLE_CPU = static(topology="single-numa-node", cpu="static")


@case("MM-POWER-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pods_are_where_they_were(prove: Prove) -> None:
    """`b` stands where a kubelet that knew nothing of it would not put it, since `a` that was before it is gone."""
    before: list[Step] = [admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi")), remove("a")]
    seen = prove(*before, restart(signal="POWER"))

    assert seen.admitted("b")
    assert [block(1, memory="6Gi")] == seen.blocks("b")


@case("MM-POWER-001", machines="two_even", kubelet=NONE)
def test_group_is_what_it_was(prove: Prove) -> None:
    """A pod over two nodes keeps both, and its group keeps others out."""
    wide, small = guaranteed("a", memory="15Gi"), guaranteed("b", memory="1Gi")
    seen = prove(admit(wide), restart(signal="POWER"), admit(small))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")
    assert (0, 1) == seen.cells(0)


@case("MM-POWER-002", machines="two_even", kubelet=SINGLE_CPU)
def test_containers_are_told_their_nodes_and_cpus_again(prove: Prove) -> None:
    """Both pods have CPUs and memory of one node each, before and after."""
    pods = [admit(guaranteed(name, memory="8Gi", cpu="2")) for name in "ab"]
    seen = prove(*pods, admit(besteffort("c")), restart(signal="POWER"))

    assert [("0", "1-2"), ("1", "8-9")] == [(seen.mems(name), seen.cpus(name)) for name in "ab"]


@case("MM-POWER-003", machines="two_even", kubelet=NONE)
def test_pod_that_is_pinned_elsewhere_is_told_so(prove: Prove) -> None:
    """Without its file the kubelet moves `b` to the first node; its container is a new one and is told."""
    before: list[Step] = [admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi")), remove("a")]
    seen = prove(*before, restart(state="lose", signal="POWER"))

    assert [block(0, memory="6Gi")] == seen.blocks("b")
    assert ("1", "0") == (seen.mems("b", after=3), seen.mems("b"))

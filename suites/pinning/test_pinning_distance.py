"""Topology Manager option prefer-closest-numa-nodes: on four_snc2 nodes 0 and 1 are close, and 2 and 3."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, static

BEST_EFFORT, RESTRICTED = static(topology="best-effort"), static(topology="restricted")
OPTION = {"prefer-closest-numa-nodes": "true"}
CLOSEST = [static(topology=policy, options=OPTION) for policy in ("best-effort", "restricted")]
CLOSEST_POD = static(topology="restricted", scope="pod", options=OPTION)


@case("MM-PIN-023", machines="four_snc2", kubelet=[*CLOSEST, CLOSEST_POD])
def test_closest_pair_goes_before_the_lowest(prove: Prove) -> None:
    """With node 0 in use, two nodes are 2 and 3, which are close, and not 1 and 2."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(guaranteed("b", memory="15Gi")))

    assert [block((2, 3), memory="15Gi")] == seen.blocks("b")
    assert "2,3" == seen.mems("b")


@case("MM-PIN-023", machines="four_snc2", kubelet=[static(), BEST_EFFORT, RESTRICTED])
def test_without_the_option_the_lowest_pair_is_taken(prove: Prove) -> None:
    """Without the option distances are not looked at: with node 0 in use, two nodes are 1 and 2."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(guaranteed("b", memory="15Gi")))

    assert [block((1, 2), memory="15Gi")] == seen.blocks("b")


@case("MM-PIN-023", machines="four_snc2", kubelet=CLOSEST)
def test_equally_close_pairs_are_taken_in_order(prove: Prove) -> None:
    """Of two pairs that are equally close the lower one is taken first."""
    seen = prove(*(admit(guaranteed(name, memory="15Gi")) for name in ("a", "b")))

    assert ["0,1", "2,3"] == [seen.mems(name) for name in ("a", "b")]


@case("MM-PIN-023", machines="four_snc2", kubelet=CLOSEST)
def test_closeness_does_not_make_a_mask_wider_or_narrower(prove: Prove) -> None:
    """The number of nodes goes before their distance: one node for 9Gi, three for 25Gi."""
    seen = prove(admit(guaranteed("a", memory="9Gi")), admit(guaranteed("b", memory="25Gi")))

    assert ["0", "1,2,3"] == [seen.mems(name) for name in ("a", "b")]

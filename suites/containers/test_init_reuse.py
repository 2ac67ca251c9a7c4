"""Init containers: their memory is reused by what starts after them, and the books show what the pod takes in all.

The first five cases are upstream's own numbers for reuse, on real sizes.
"""

from __future__ import annotations

from pinproof.history import Block
from pinproof.scenario.pod import Container
from pinproof.suite import Prove, admit, block, case, container, gib, guaranteed, sidecar, static

NONE = static()
RESTRICTED = static(topology="restricted")
SINGLE_POD = static(topology="single-numa-node", scope="pod")


@case("MM-INIT-001", machines=["one", "two_even"], kubelet=[NONE, RESTRICTED])
def test_apps_larger_than_init_take_over_all_of_it(prove: Prove) -> None:
    """Init 1 and 2, apps 3 and 4: the pod takes 7Gi, nothing of it for the init containers."""
    seen = prove(admit(guaranteed("a", init=_sized("i", 1, 2), containers=_sized("c", 3, 4))))

    assert [block(0, memory="0")] == seen.blocks("a", "i1") == seen.blocks("a", "i2")
    assert [block(0, memory="3Gi")] == seen.blocks("a", "c1")
    assert [block(0, memory="4Gi")] == seen.blocks("a", "c2")
    assert (gib(7), 4) == (seen.reserved(0), seen.assignments_on(0))


@case("MM-INIT-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_init_larger_than_apps_keeps_the_surplus(prove: Prove) -> None:
    """Init 4 and 3, apps 2 and 1: the pod takes 4Gi, and the last init container keeps what no app needs."""
    seen = prove(admit(guaranteed("a", init=_sized("i", 4, 3), containers=_sized("c", 2, 1))))

    assert [block(0, memory="0")] == seen.blocks("a", "i1")
    assert [block(0, memory="1Gi")] == seen.blocks("a", "i2")
    assert (gib(4), 4) == (seen.reserved(0), seen.assignments_on(0))


@case("MM-INIT-001", machines="two_even", kubelet=NONE)
def test_first_app_empties_the_first_init_and_goes_on(prove: Prove) -> None:
    """Init 7 and 4, apps 4 and 3: the first app takes over from both init containers."""
    seen = prove(admit(guaranteed("a", init=_sized("i", 7, 4), containers=_sized("c", 4, 3))))

    assert [block(0, memory="0")] == seen.blocks("a", "i1") == seen.blocks("a", "i2")
    assert [block(0, memory="4Gi")] == seen.blocks("a", "c1")
    assert gib(7) == seen.reserved(0)


@case("MM-INIT-001", machines="two_even", kubelet=NONE)
def test_reuse_ends_where_the_init_memory_ends(prove: Prove) -> None:
    """Init 7 and 4, apps 5 and 4: 7Gi can be reused, the other 2Gi are new."""
    seen = prove(admit(guaranteed("a", init=_sized("i", 7, 4), containers=_sized("c", 5, 4))))

    assert [block(0, memory="0")] == seen.blocks("a", "i1") == seen.blocks("a", "i2")
    assert gib(9) == seen.reserved(0)


@case("MM-INIT-002", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_sidecars_between_init_containers_keep_their_memory(prove: Prove) -> None:
    """Init 1, sidecar 2, init 3, sidecar 4, app 1: sidecars take over from init, nobody takes over from them."""
    init = [*_sized("i", 1), sidecar("s1", memory="2Gi"), container("i2", memory="3Gi"), sidecar("s2", memory="4Gi")]
    seen = prove(admit(guaranteed("a", memory="1Gi", init=init)))

    assert [block(0, memory="0")] == seen.blocks("a", "i1") == seen.blocks("a", "i2")
    assert [block(0, memory="2Gi")] == seen.blocks("a", "s1")
    assert [block(0, memory="4Gi")] == seen.blocks("a", "s2")
    assert (gib(7), 5) == (seen.reserved(0), seen.assignments_on(0))


@case("MM-INIT-003", machines=["two_even", "hugepages_even"], kubelet=[NONE, RESTRICTED])
def test_pod_takes_the_larger_of_init_and_app(prove: Prove) -> None:
    """Init 1 and 2, app 4: the pod takes 4Gi of the node, not 7Gi."""
    seen = prove(admit(guaranteed("a", memory="4Gi", init=_sized("i", 1, 2))))

    assert gib(4) == seen.reserved(0)
    assert gib(6) == seen.free(0)


@case("MM-INIT-003", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_huge_pages_of_init_are_reused_too(prove: Prove) -> None:
    """Each memory type is reused for itself: init has more pages than the app, and less memory."""
    init = container("i", memory="1Gi", hugepages={"1Gi": "2Gi"})
    seen = prove(admit(guaranteed("a", memory="3Gi", hugepages={"1Gi": "1Gi"}, init=[init])))

    assert [block(0, hugepages_1Gi="1Gi"), block(0, memory="0")] == seen.blocks("a", "i")
    assert [block(0, hugepages_1Gi="1Gi"), block(0, memory="3Gi")] == seen.blocks("a")
    assert (gib(2), gib(3)) == (seen.reserved(0, "hugepages-1Gi"), seen.reserved(0))


@case("MM-INIT-003", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_reuse_makes_room_for_an_app_that_would_not_fit_beside(prove: Prove) -> None:
    """Init 8 and app 9 on a node of 10: the app fits because the init container's memory is its own."""
    seen = prove(admit(guaranteed("a", memory="9Gi", init=_sized("i", 8))))

    assert seen.admitted("a")
    assert [block(0, memory="9Gi")] == seen.blocks("a")
    assert (gib(9), gib(0)) == (seen.reserved(0), seen.reserved(1))


@case("MM-INIT-004", machines="two_even", kubelet=NONE)
def test_init_on_another_node_is_not_reused(prove: Prove) -> None:
    """The app does not fit where its init container is: both are charged, each on its node."""
    seen = prove(admit(guaranteed("x", memory="3Gi")), admit(guaranteed("a", memory="8Gi", init=_sized("i", 6))))

    assert [block(0, memory="6Gi")] == seen.blocks("a", "i1")
    assert [block(1, memory="8Gi")] == seen.blocks("a")
    assert (gib(9), gib(8)) == (seen.reserved(0), seen.reserved(1))


@case("MM-INIT-004", machines="two_even", kubelet=[NONE, static(topology="best-effort")])
def test_small_app_joins_the_group_of_a_large_init(prove: Prove) -> None:
    """An init container over two nodes makes a group; the app, which one node could serve, reuses within it."""
    seen = prove(admit(guaranteed("a", memory="4Gi", init=_sized("i", 12))))

    assert [block((0, 1), memory="8Gi")] == seen.blocks("a", "i1")
    assert [block((0, 1), memory="4Gi")] == seen.blocks("a")
    assert (gib(10), gib(2)) == (seen.reserved(0), seen.reserved(1))


@case("MM-INIT-004", machines="two_even", kubelet=RESTRICTED)
def test_restricted_rejects_a_small_app_after_a_large_init(prove: Prove) -> None:
    """The group that the pod's own init container made leaves the app no preferred node."""
    seen = prove(admit(guaranteed("a", memory="4Gi", init=_sized("i", 12))))
    verdict = seen.verdict("a")

    assert verdict
    assert verdict.reason == "TopologyAffinityError"


@case("MM-INIT-005", machines="two_even", kubelet=NONE)
def test_next_pod_reuses_nothing_of_another_pod(prove: Prove) -> None:
    """Init memory is left to containers of the same pod only."""
    a = guaranteed("a", memory="1Gi", init=_sized("i", 4))
    seen = prove(admit(a), admit(guaranteed("b", memory="3Gi")))

    assert [block(0, memory="3Gi")] == seen.blocks("a", "i1")
    assert [block(0, memory="3Gi")] == seen.blocks("b")
    assert gib(7) == seen.reserved(0)


@case("MM-INIT-006", machines="two_even", kubelet=NONE)
def test_sidecar_takes_over_from_the_init_before_it(prove: Prove) -> None:
    """Init 1, sidecar 2, app 4: the sidecar reuses the init container's 1Gi, the app nothing; 6Gi in all."""
    init = [*_sized("i", 1), sidecar("s", memory="2Gi")]
    seen = prove(admit(guaranteed("a", memory="4Gi", init=init)))

    assert [block(0, memory="0")] == seen.blocks("a", "i1")
    assert [block(0, memory="2Gi")] == seen.blocks("a", "s")
    assert gib(6) == seen.reserved(0)


@case("MM-INIT-006", machines="two_even", kubelet=NONE)
def test_app_takes_over_from_init_behind_a_sidecar(prove: Prove) -> None:
    """Sidecar 2, init 1, app 4: the app reuses the init container's 1Gi; 6Gi in all."""
    init = [sidecar("s", memory="2Gi"), *_sized("i", 1)]
    seen = prove(admit(guaranteed("a", memory="4Gi", init=init)))

    assert [block(0, memory="0")] == seen.blocks("a", "i1")
    assert [block(0, memory="2Gi")] == seen.blocks("a", "s")
    assert gib(6) == seen.reserved(0)


@case("MM-INIT-006", machines="two_even", kubelet=NONE)
def test_what_a_sidecar_took_over_is_not_reused_again(prove: Prove) -> None:
    """Init 3, sidecar 2, init 1, app 2: 1Gi is left for the second init container and then the app; 4Gi in all."""
    init = [*_sized("i", 3), sidecar("s", memory="2Gi"), container("i2", memory="1Gi")]
    seen = prove(admit(guaranteed("a", memory="2Gi", init=init)))

    assert [block(0, memory="0")] == seen.blocks("a", "i1") == seen.blocks("a", "i2")
    assert gib(4) == seen.reserved(0)


@case("MM-INIT-002", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_memory_of_sidecars_alone_is_never_reused(prove: Prove) -> None:
    """Sidecars 4 and 1, app 2: everything runs at the same time, so 7Gi are taken."""
    init = [sidecar("s1", memory="4Gi"), sidecar("s2", memory="1Gi")]
    seen = prove(admit(guaranteed("a", memory="2Gi", init=init)))

    assert [["4Gi"], ["1Gi"], ["2Gi"]] == [_sizes(seen.blocks("a", name)) for name in ("s1", "s2", "c")]
    assert gib(7) == seen.reserved(0)


@case("MM-INIT-007", machines="two_even", kubelet=SINGLE_POD)
def test_init_before_a_sidecar_needs_no_room_beside_it(prove: Prove) -> None:
    """Init 8, sidecar 3, app 6: the init container is over before the sidecar runs, so the pod needs 9Gi of one node."""
    init = [*_sized("i", 8), sidecar("s", memory="3Gi")]
    seen = prove(admit(guaranteed("a", memory="6Gi", init=init)))

    assert seen.admitted("a")
    assert gib(9) == seen.reserved(0)


@case("MM-INIT-007", machines="two_even", kubelet=SINGLE_POD)
def test_init_behind_a_sidecar_needs_room_beside_it(prove: Prove) -> None:
    """Sidecar 3, init 8, app 6: both run at once, 11Gi fit no node, and `single-numa-node` rejects the pod."""
    init = [sidecar("s", memory="3Gi"), *_sized("i", 8)]
    seen = prove(admit(guaranteed("a", memory="6Gi", init=init)))
    verdict = seen.verdict("a")

    assert verdict
    assert verdict.reason == "TopologyAffinityError"


@case("MM-INIT-007", machines="two_even", kubelet=SINGLE_POD)
def test_sidecars_add_to_the_apps_of_a_pod(prove: Prove) -> None:
    """Sidecars 3 and 3, app 5 need 11Gi at once: rejected, though every container for itself fits a node."""
    init = [sidecar("s1", memory="3Gi"), sidecar("s2", memory="3Gi")]
    seen = prove(admit(guaranteed("a", memory="5Gi", init=init)), admit(guaranteed("b", memory="4Gi", init=init)))

    assert seen.rejected("a")
    assert seen.admitted("b")


@case("MM-INIT-007", machines="two_even", kubelet=static(topology="restricted", scope="pod"))
def test_scope_pod_binds_init_and_apps_to_the_nodes_of_the_total(prove: Prove) -> None:
    """Apps of 6Gi each need two nodes together, so a small init container is bound to both as well."""
    seen = prove(admit(guaranteed("a", init=_sized("i", 4), containers=_sized("c", 6, 6))))

    assert [block((0, 1), memory="0")] == seen.blocks("a", "i1")
    assert seen.mems("a", "i1") == "0,1"
    assert [block((0, 1), memory="6Gi")] == seen.blocks("a", "c2")


def _sized(prefix: str, *gibs: int) -> list[Container]:
    """Containers of so many GiB each, named by prefix and number."""
    return [container(f"{prefix}{index}", memory=f"{size}Gi") for index, size in enumerate(gibs, 1)]


def _sizes(blocks: list[Block]) -> list[str]:
    """Sizes of blocks in whole GiB."""
    return [f"{found.size >> 30}Gi" for found in blocks]

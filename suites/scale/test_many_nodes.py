"""Sixteen NUMA nodes, all in use, through restarts."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, gib, guaranteed, remove, restart, static

BEST_EFFORT, RESTRICTED = static(topology="best-effort"), static(topology="restricted")
ALL = tuple(range(16))


@case("MM-SCALE-004", machines="sixteen", kubelet=[BEST_EFFORT, RESTRICTED], since="1.31", nightly=True)
def test_a_pod_on_each_of_sixteen_nodes(prove: Prove) -> None:
    """Sixteen pods of 2Gi, each on the next node; a restart changes nothing."""
    seen = prove(*(admit(guaranteed(f"p{node}", memory="2Gi")) for node in ALL), restart())

    assert [[block(node, memory="2Gi")] for node in ALL] == [seen.blocks(f"p{node}") for node in ALL]
    assert [0] * 16 == [seen.free(node) for node in ALL]


@case("MM-SCALE-004", machines="sixteen", kubelet=BEST_EFFORT, since="1.31")
def test_one_pod_on_all_sixteen_nodes(prove: Prove) -> None:
    """32Gi take every node, come back as they were, and leave nothing behind for the next pod."""
    seen = prove(admit(guaranteed("a", memory="32Gi")), restart(), remove("a"), admit(guaranteed("b", memory="2Gi")))

    assert [block(ALL, memory="32Gi")] == seen.blocks("a", after=2)
    assert ",".join(map(str, ALL)) == seen.mems("a", after=2)
    assert ALL == seen.cells(15, after=2)
    assert [block(0, memory="2Gi")] == seen.blocks("b")
    assert [0] + [gib(2)] * 15 == [seen.free(node) for node in ALL]


@case("MM-SCALE-004", machines="sixteen", kubelet=RESTRICTED, since="1.31")
def test_groups_beside_each_other_on_sixteen_nodes(prove: Prove) -> None:
    """Groups of two, three and four nodes and three single nodes fill twelve; the five pods come back in another order."""
    sizes = {"a": "4Gi", "b": "6Gi", "c": "8Gi", "d": "1Gi", "e": "2Gi", "f": "2Gi"}
    seen = prove(*(admit(guaranteed(n, memory=m)) for n, m in sizes.items()), restart(order=tuple("fedcba")))

    assert [block((0, 1), memory="4Gi")] == seen.blocks("a")
    assert [block((2, 3, 4), memory="6Gi")] == seen.blocks("b")
    assert [block((5, 6, 7, 8), memory="8Gi")] == seen.blocks("c")
    assert ["9", "10", "11"] == [seen.mems(pod) for pod in "def"]
    assert [0] * 9 + [gib(1), 0, 0] + [gib(2)] * 4 == [seen.free(node) for node in ALL]

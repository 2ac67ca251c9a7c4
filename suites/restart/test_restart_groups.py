"""A restart with the state kept, with pods that span nodes: groups and their sums are as before."""

from __future__ import annotations

from itertools import permutations

from pinproof.scenario.steps import Admit
from pinproof.suite import (
    Prove,
    Seen,
    admit,
    besteffort,
    block,
    case,
    container,
    gib,
    guaranteed,
    mib,
    remove,
    restart,
    static,
)

NONE, BEST_EFFORT, RESTRICTED = static(), static(topology="best-effort"), static(topology="restricted")
BEST_EFFORT_POD_CPU = static(topology="best-effort", scope="pod", cpu="static")

COLLECT = admit(besteffort("other"))
"""Any admission collects what removed pods had."""


def of_size(**memory: str) -> list[Admit]:
    """A pod with one container for each name."""
    return [admit(guaranteed(name, memory=amount)) for name, amount in memory.items()]


def sums(seen: Seen, type: str = "memory", *, after: int = -1) -> tuple[int, int]:  # noqa: A002  # Kubernetes' word
    """Bytes that are reserved and free on nodes 0 and 1 together."""
    return (
        sum(seen.reserved(node, type, after=after) for node in (0, 1)),
        sum(seen.free(node, type, after=after) for node in (0, 1)),
    )


@case("MM-RESTART-008", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_group_of_three_in_every_order(prove: Prove) -> None:
    """Three pods of a group keep their blocks, the group and its sums, in whichever order they are admitted again."""
    orders = list(permutations("abc"))
    seen = prove(*of_size(a="11Gi", b="2Gi", c="3Gi"), *(restart(order=order) for order in orders))

    for step in range(4, 10):
        assert [[block((0, 1), memory=m)] for m in ("11Gi", "2Gi", "3Gi")] == [
            seen.blocks(p, after=step) for p in "abc"
        ]
        assert [(0, 1), (0, 1)] == [seen.cells(node, after=step) for node in (0, 1)]
        assert (gib(16), gib(4)) == sums(seen, after=step)


@case("MM-RESTART-008", machines="two_even", kubelet=RESTRICTED)
def test_group_under_restricted(prove: Prove) -> None:
    """A pod that needs two nodes stays under `restricted`: the mask it has is the preferred one."""
    seen = prove(*of_size(a="12Gi", b="11Gi"), restart(), restart(order=("b", "a")))

    assert seen.admitted("a")
    assert [block((0, 1), memory="12Gi")] == seen.blocks("a")


@case("MM-RESTART-008", machines="four_snc2", kubelet=[NONE, RESTRICTED])
def test_two_groups(prove: Prove) -> None:
    """Two groups side by side are not mixed up, in either order."""
    seen = prove(*of_size(a="15Gi", b="13Gi"), restart(order=("b", "a")), restart())

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")
    assert [block((2, 3), memory="13Gi")] == seen.blocks("b")
    assert [(0, 1), (0, 1), (2, 3), (2, 3)] == [seen.cells(node) for node in range(4)]


@case("MM-RESTART-008", machines=["three", "ids_lexical"], kubelet=RESTRICTED)
def test_group_beside_a_single_node(prove: Prove) -> None:
    """Single-node pods and a group on other nodes are admitted again in every order of two and one."""
    ids = [node.id for node in prove.machine.nodes]
    seen = prove(
        *of_size(a="1Gi", b="15Gi", c="2Gi"), *(restart(order=tuple(order)) for order in ("bca", "cab", "cba"))
    )

    assert [block(ids[0], memory="1Gi")] == seen.blocks("a")
    assert [block((ids[1], ids[2]), memory="15Gi")] == seen.blocks("b")
    assert [block(ids[0], memory="2Gi")] == seen.blocks("c")
    assert [(ids[0],), (ids[1], ids[2]), (ids[1], ids[2])] == [seen.cells(node) for node in ids[:3]]


@case("MM-RESTART-009", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_restart_after_the_first_of_a_group_is_gone(prove: Prove) -> None:
    """What is left of a group is split over its nodes otherwise than a fresh allocation would: the kubelet starts."""
    seen = prove(*of_size(a="12Gi", b="8Gi"), remove("a"), COLLECT, restart(), restart())

    assert seen.running
    assert [block((0, 1), memory="8Gi")] == seen.blocks("b")
    assert (gib(8), gib(12)) == sums(seen)


@case("MM-RESTART-009", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_restart_after_the_second_of_a_group_is_gone(prove: Prove) -> None:
    """The same with the later of the two pods, whose memory is taken back from the lower node."""
    seen = prove(*of_size(a="12Gi", b="8Gi"), remove("b"), COLLECT, restart(), restart())

    assert seen.running
    assert [block((0, 1), memory="12Gi")] == seen.blocks("a")
    assert (gib(12), gib(8)) == sums(seen)


@case("MM-RESTART-009", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_restart_after_one_of_a_group_was_replaced(prove: Prove) -> None:
    """The sequence of the report: two pods over both nodes, the smaller is deleted, a third comes, and a restart."""
    seen = prove(*of_size(a="12Gi", b="1Gi"), remove("b"), *of_size(c="512Mi"), restart(order=("c", "a")), restart())

    assert {"a": ["c"], "c": ["c"]} == seen.assigned()
    assert (gib(12.5), gib(7.5)) == sums(seen)


@case("MM-RESTART-009", machines="hugepages_even", kubelet=NONE)
def test_restart_after_one_of_a_group_with_huge_pages_is_gone(prove: Prove) -> None:
    """Sums are kept for every memory type of the group."""
    a = guaranteed("a", memory="12Gi", hugepages={"2Mi": "1536Mi"})
    b = guaranteed("b", memory="3Gi", hugepages={"2Mi": "256Mi"})
    seen = prove(admit(a), admit(b), remove("a"), COLLECT, restart(), restart())

    assert [block((0, 1), hugepages_2Mi="256Mi"), block((0, 1), memory="3Gi")] == seen.blocks("b")
    assert (gib(3), gib(17)) == sums(seen)
    assert (mib(256), mib(1792)) == sums(seen, "hugepages-2Mi")


@case("MM-RESTART-010", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_restored_group_is_joined_and_dissolved(prove: Prove) -> None:
    """A group lives on through a restart as any other: a small pod joins it, and with the last one it ends."""
    seen = prove(*of_size(a="15Gi"), restart(), *of_size(b="1Gi"), remove("a"), remove("b"), restart(), COLLECT)

    assert [block((0, 1), memory="1Gi")] == seen.blocks("b", after=3)
    assert [(0,), (1,)] == [seen.cells(node) for node in (0, 1)]
    assert [gib(10), gib(10)] == [seen.free(node) for node in (0, 1)]


@case("MM-RESTART-010", machines="two_even", kubelet=RESTRICTED)
def test_restored_group_keeps_its_nodes(prove: Prove) -> None:
    """A pod that a group keeps out before a restart is kept out after it."""
    seen = prove(*of_size(a="15Gi"), restart(), *of_size(b="1Gi"))
    verdict = seen.verdict("b")

    assert verdict
    assert "TopologyAffinityError" == verdict.reason


@case("MM-RESTART-011", machines="two_even", kubelet=BEST_EFFORT_POD_CPU)
def test_rejected_pod_leaves_a_group_whole(prove: Prove) -> None:
    """A pod that is refused over a group, and is gone, does not keep the kubelet from starting again.

    The pod as a whole fits nowhere, so its first container follows the CPUs to a node of the group before the second
    is refused.
    """
    group = [guaranteed("a", cpu="5", memory="12Gi"), guaranteed("b", cpu="2", memory="4Gi")]
    two = [container("first", cpu="1", memory="1Gi"), container("second", cpu="1", memory="6Gi")]
    seen = prove(*map(admit, group), admit(guaranteed("x", containers=two)), remove("x"), COLLECT, restart())

    assert [(0, 1), (0, 1)] == [seen.cells(node, after=3) for node in (0, 1)]
    assert seen.running

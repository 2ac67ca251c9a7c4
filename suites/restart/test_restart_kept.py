"""A restart with the state kept: single-node pods and their books are as before."""

from __future__ import annotations

from itertools import permutations

from pinproof.suite import (
    Prove,
    Seen,
    admit,
    besteffort,
    block,
    burstable,
    case,
    exits,
    gib,
    guaranteed,
    restart,
    static,
)

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
RESTRICTED_POD = static(topology="restricted", scope="pod")
SINGLE_POD = static(topology="single-numa-node", scope="pod")
RESTRICTED_CPU = static(topology="restricted", cpu="static")
EVERY_POLICY = [NONE, BEST_EFFORT, RESTRICTED, SINGLE, RESTRICTED_POD, SINGLE_POD]

THREE = [guaranteed("a", memory="6Gi"), guaranteed("b", memory="6Gi"), guaranteed("c", memory="3Gi")]
PINNED = {"a": [block(0, memory="6Gi")], "b": [block(1, memory="6Gi")], "c": [block(0, memory="3Gi")]}
ORDERS = list(permutations("abc"))


def pinned(seen: Seen, *, after: int = -1) -> dict[str, object]:
    """Blocks of the container `c` of every pod."""
    return {pod: seen.blocks(pod, after=after) for pod in seen.assigned(after=after)}


@case("MM-RESTART-001", "MM-RESTART-002", machines="two_even", kubelet=EVERY_POLICY)
def test_pods_stay_where_they_are(prove: Prove) -> None:
    """Pods that ran go on running, with the blocks they had and no others."""
    seen = prove(*map(admit, THREE), restart())

    assert [True, True, True] == [seen.admitted(pod) for pod in "abc"]
    assert PINNED == pinned(seen)


@case("MM-RESTART-002", machines="two_even", kubelet=[NONE, SINGLE_POD])
def test_every_order_of_readmission(prove: Prove) -> None:
    """In whichever order pods are admitted again, one restart after the other, nothing changes."""
    seen = prove(*map(admit, THREE), *(restart(order=order) for order in ORDERS))

    assert [PINNED] * 6 == [pinned(seen, after=step) for step in range(4, 10)]
    assert [gib(9), gib(6)] == [seen.reserved(node) for node in (0, 1)]


@case("MM-RESTART-003", machines=["two_even", "ids_gaps"], kubelet=[NONE, RESTRICTED])
def test_books_are_as_before(prove: Prove) -> None:
    """Totals, free and reserved memory, groups and numbers of assignments are those of before the restart."""
    seen = prove(*map(admit, THREE), restart())
    nodes = [node.id for node in prove.machine.nodes]

    assert [seen.node(node, after=3) for node in nodes] == [seen.node(node) for node in nodes]
    assert seen.allocatable_resources.memory == seen.at(0).allocatable_resources.memory


@case("MM-RESTART-003", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_memory_is_counted_once(prove: Prove) -> None:
    """After a restart there is as much room as before: what fitted fits, what did not does not."""
    seen = prove(
        *map(admit, THREE[:2]),
        restart(),
        admit(guaranteed("fits", memory="4Gi")),
        admit(guaranteed("no", memory="5Gi")),
    )

    assert [block(0, memory="4Gi")] == seen.blocks("fits")
    assert seen.rejected("no")
    assert gib(4) == seen.free(1)


@case("MM-RESTART-003", machines="one", kubelet=[NONE, SINGLE])
def test_full_node_is_full_and_its_pod_stays(prove: Prove) -> None:
    """A pod that fills its node finds no room for itself a second time, and needs none."""
    seen = prove(admit(guaranteed("a", memory="10Gi")), restart(), admit(guaranteed("b", memory="1Ki")))

    assert seen.admitted("a")
    assert seen.rejected("b")
    assert [block(0, memory="10Gi")] == seen.blocks("a")


@case("MM-RESTART-004", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_killed_kubelet_starts_again(prove: Prove) -> None:
    """A kubelet that was killed finds its state as one that was asked to end does, also twice in a row."""
    seen = prove(*map(admit, THREE), restart(signal="KILL"), restart(signal="KILL"), restart())

    assert [PINNED] * 3 == [pinned(seen, after=step) for step in (4, 5, 6)]


@case("MM-RESTART-004", machines=["two_even", "hugepages_uneven", "memoryless"], kubelet=NONE)
def test_unused_machine_starts_again(prove: Prove) -> None:
    """Without pods a restart is without effect, on machines of any shape."""
    seen = prove(restart(), restart(signal="KILL"), admit(guaranteed("a", memory="4Gi")))
    nodes = [node.id for node in prove.machine.nodes]

    assert [seen.node(node, after=0) for node in nodes] == [seen.node(node, after=2) for node in nodes]
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-RESTART-005", machines="two_even", kubelet=RESTRICTED_CPU)
def test_exclusive_cpus_stay(prove: Prove) -> None:
    """Exclusive CPUs stay with their containers beside the memory, in every order of re-admission."""
    wanted = {"a": ("6Gi", "2"), "b": ("6Gi", "3"), "c": ("3Gi", "1")}
    pods = [guaranteed(name, memory=memory, cpu=cpu) for name, (memory, cpu) in wanted.items()]
    seen = prove(*map(admit, pods), *(restart(order=order) for order in ORDERS))

    for step in range(4, 10):
        assert ["1-2", "8-10", "3"] == [seen.exclusive_cpus(pod, after=step) for pod in "abc"]
        assert PINNED == pinned(seen, after=step)


@case("MM-RESTART-006", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_containers_keep_their_pinning(prove: Prove) -> None:
    """Containers run on through a restart: none is created again, and none is told another `cpuset.mems`."""
    seen = prove(*map(admit, THREE), restart(order=("c", "b", "a")))

    assert [seen.told(pod, after=3) for pod in "abc"] == [seen.told(pod) for pod in "abc"]
    assert ["0", "1", "0"] == [seen.mems(pod) for pod in "abc"]


@case("MM-RESTART-006", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_container_that_ends_later_is_pinned_as_before(prove: Prove) -> None:
    """A container that is created again after a restart of the kubelet is told the nodes of its recorded blocks."""
    seen = prove(*map(admit, THREE), restart(order=("b", "a", "c")), exits("b", "c", code=1))

    assert "1" == seen.mems("b")
    assert PINNED == pinned(seen)


@case("MM-RESTART-007", machines="two_even", kubelet=[NONE, RESTRICTED, RESTRICTED_POD])
def test_pods_that_are_not_pinned_stay_unpinned(prove: Prove) -> None:
    """Burstable and BestEffort pods go on running, and a restart books nothing for them."""
    seen = prove(admit(burstable("b", memory="6Gi")), admit(besteffort("e")), restart(order=("e", "b")))

    assert [True, True] == [seen.admitted(pod) for pod in "be"]
    assert {} == seen.assigned()
    assert ["", ""] == [seen.mems(pod) for pod in "be"]

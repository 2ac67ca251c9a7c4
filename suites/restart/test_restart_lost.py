"""A restart with the state lost: the file is made anew, pods are placed anew, and running containers are left alone."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    admit,
    block,
    case,
    exits,
    gib,
    guaranteed,
    none_policy,
    remove,
    restart,
    static,
)

NONE, RESTRICTED, SINGLE = static(), static(topology="restricted"), static(topology="single-numa-node")
RESTRICTED_CPU = static(topology="restricted", cpu="static")
OFF = none_policy()

TWO = [admit(guaranteed("a", memory="6Gi", cpu="2")), admit(guaranteed("b", memory="6Gi", cpu="2"))]


@case("MM-RESTART-020", machines=["two_even", "hugepages_uneven"], kubelet=NONE)
def test_state_is_made_anew(prove: Prove) -> None:
    """Without a file the kubelet starts as on its first day, byte for byte."""
    seen = prove(restart(state="lose"))

    assert seen.at(0).state_file == seen.state_file


@case("MM-RESTART-020", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_memory_of_vanished_pods_is_free_at_once(prove: Prove) -> None:
    """What no pod needs any more is not remembered."""
    seen = prove(*TWO, remove("a"), restart(state="lose"))

    assert {"b": ["c"]} == seen.assigned()
    assert gib(6) == seen.reserved(0) + seen.reserved(1)


@case("MM-RESTART-021", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_pods_are_placed_anew_in_their_order(prove: Prove) -> None:
    """Pods are admitted as if they were new, in the order in which they come this time."""
    seen = prove(*TWO, restart(state="lose", order=("b", "a")))

    assert [True, True] == [seen.admitted(pod) for pod in "ab"]
    assert [[block(1, memory="6Gi")], [block(0, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]


@case("MM-RESTART-021", machines="two_even", kubelet=NONE)
def test_groups_are_decided_anew(prove: Prove) -> None:
    """Where the small pod comes first this time, the pod that spans both nodes finds no room and is rejected."""
    big, small = admit(guaranteed("big", memory="15Gi")), admit(guaranteed("small", memory="1Gi"))
    seen = prove(big, small, restart(state="lose", order=("small", "big")))

    assert [block((0, 1), memory="1Gi")] == seen.blocks("small", after=2)
    assert [block(0, memory="1Gi")] == seen.blocks("small")
    assert seen.rejected("big")


@case("MM-RESTART-022", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_running_containers_are_not_moved(prove: Prove) -> None:
    """A container that runs keeps the `cpuset.mems` it was created with, wherever its pod is booked now."""
    seen = prove(*TWO, restart(state="lose", order=("b", "a")))

    assert ["0", "1"] == [seen.mems(pod) for pod in "ab"]


@case("MM-RESTART-022", machines="two_even", kubelet=NONE)
def test_container_that_ends_later_moves(prove: Prove) -> None:
    """When such a container is created again it is told the nodes where its pod is booked now."""
    seen = prove(*TWO, restart(state="lose", order=("b", "a")), exits("a", "c", code=1))

    assert ["1", "1"] == [seen.mems(pod) for pod in "ab"]


@case("MM-RESTART-023", machines="two_even", kubelet=RESTRICTED_CPU)
def test_memory_follows_the_cpus_that_were_kept(prove: Prove) -> None:
    """The CPU manager's state was not lost: under `restricted` the memory is booked where each pod's CPUs are."""
    seen = prove(*TWO, restart(state="lose", order=("b", "a")))

    assert ["1-2", "8-9"] == [seen.exclusive_cpus(pod) for pod in "ab"]
    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]


@case("MM-RESTART-024", machines="two_even", kubelet=OFF)
def test_policy_is_switched_on(prove: Prove) -> None:
    """With the file deleted policy Static can be switched on: pods that run are booked, and pinned when created again."""
    seen = prove(*TWO, restart(state="lose", kubelet=NONE), exits("b", "c", code=1))

    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]
    assert ["", ""] == [seen.mems(pod, after=3) for pod in "ab"]
    assert ["", "1"] == [seen.mems(pod) for pod in "ab"]


@case("MM-RESTART-024", machines="two_even", kubelet=NONE)
def test_policy_is_switched_off(prove: Prove) -> None:
    """With the file deleted policy Static can be switched off: pods run on, and nothing is booked or pinned."""
    seen = prove(*TWO, restart(state="lose", kubelet=OFF), exits("b", "c", code=1))

    assert {} == seen.assigned()
    assert "None" == seen.policy
    assert ["0", ""] == [seen.mems(pod) for pod in "ab"]


@case("MM-RESTART-025", machines="two_even", kubelet=NONE)
def test_huge_pages_are_found(prove: Prove) -> None:
    """With the file deleted a kubelet takes the huge pages into its books that were set aside meanwhile."""
    seen = prove(*TWO, restart(state="lose", machine="hugepages_even"))

    assert [gib(1), gib(2)] == [seen.allocatable(0, kind) for kind in ("hugepages-2Mi", "hugepages-1Gi")]
    assert [block(0, memory="6Gi")] == seen.blocks("a")


@case("MM-RESTART-025", machines="hugepages_even", kubelet=NONE)
def test_huge_pages_are_gone(prove: Prove) -> None:
    """With the file deleted page sizes that the machine offers no more leave the books."""
    seen = prove(*TWO, restart(state="lose", machine="two_even"))

    assert [["memory"], ["memory"]] == [sorted(seen.node(node).memory) for node in (0, 1)]

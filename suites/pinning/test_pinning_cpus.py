"""Memory and exclusive CPUs: the one mask that the Topology Manager merges, and what the memory manager makes of it."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, guaranteed, static

NONE, BEST_EFFORT = static(cpu="static"), static(topology="best-effort", cpu="static")
RESTRICTED = static(topology="restricted", cpu="static")
SINGLE = static(topology="single-numa-node", cpu="static")
SINGLE_POD = static(topology="single-numa-node", scope="pod", cpu="static")


@case("MM-PIN-013", machines="two_even", kubelet=[BEST_EFFORT, RESTRICTED, SINGLE])
def test_memory_follows_the_cpus(prove: Prove) -> None:
    """When only node 1 has the CPUs, the memory is taken there too, although node 0 has room."""
    seen = prove(admit(guaranteed("a", cpu="7", memory="1Gi")), admit(guaranteed("b", cpu="2", memory="4Gi")))

    assert "1-7" == seen.exclusive_cpus("a")
    assert [block(1, memory="4Gi")] == seen.blocks("b")
    assert "8-9" == seen.exclusive_cpus("b")


@case("MM-PIN-013", machines="two_even", kubelet=[BEST_EFFORT, RESTRICTED, SINGLE])
def test_cpus_follow_the_memory(prove: Prove) -> None:
    """When only node 1 has the memory, the CPUs are taken there too, although node 0 has some."""
    seen = prove(admit(guaranteed("a", memory="9Gi")), admit(guaranteed("b", cpu="2", memory="4Gi")))

    assert [block(1, memory="4Gi")] == seen.blocks("b")
    assert "8-9" == seen.exclusive_cpus("b")


@case("MM-PIN-014", machines="two_even", kubelet=NONE)
def test_policy_none_does_not_align(prove: Prove) -> None:
    """Without a Topology Manager policy memory is pinned all the same, but not to the node of the CPUs."""
    seen = prove(admit(guaranteed("a", cpu="7", memory="1Gi")), admit(guaranteed("b", cpu="2", memory="4Gi")))

    assert "8-9" == seen.exclusive_cpus("b")
    assert [block(0, memory="4Gi")] == seen.blocks("b")
    assert "0" == seen.mems("b")


@case("MM-PIN-015", machines="two_even", kubelet=BEST_EFFORT)
def test_best_effort_spreads_memory_over_the_nodes_of_the_cpus(prove: Prove) -> None:
    """A container whose CPUs need two nodes has its memory bound to both, also when one could hold it."""
    seen = prove(admit(guaranteed("a", cpu="10", memory="1Gi")))

    assert [block((0, 1), memory="1Gi")] == seen.blocks("a")
    assert "0,1" == seen.mems("a")


@case("MM-PIN-015", machines="four_snc2", kubelet=BEST_EFFORT)
def test_best_effort_is_as_wide_as_the_memory_needs(prove: Prove) -> None:
    """CPUs of one node and memory of two are merged to two nodes, not to one and not to all four."""
    seen = prove(admit(guaranteed("a", cpu="2", memory="15Gi")))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")


@case("MM-PIN-015", machines="four_snc2", kubelet=BEST_EFFORT)
def test_best_effort_is_as_wide_as_the_wider_of_both(prove: Prove) -> None:
    """CPUs of two nodes and memory of three are merged to three."""
    seen = prove(admit(guaranteed("a", cpu="5", memory="25Gi")))

    assert [block((0, 1, 2), memory="25Gi")] == seen.blocks("a")


@case("MM-PIN-016", machines="cxl", kubelet=BEST_EFFORT)
def test_mask_without_enough_memory_is_extended(prove: Prove) -> None:
    """The merged mask has CPUs but not the memory, so the memory manager adds the fewest and lowest nodes to it."""
    seen = prove(admit(guaranteed("a", cpu="2", memory="15Gi")))

    assert "1-2" == seen.exclusive_cpus("a")
    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")


@case("MM-PIN-016", machines="cxl", kubelet=BEST_EFFORT)
def test_mask_is_extended_by_a_node_without_cpus(prove: Prove) -> None:
    """A mask of both nodes with CPUs is extended by the memory-only node when the memory needs it."""
    seen = prove(admit(guaranteed("a", cpu="2", memory="25Gi")))

    assert [block((0, 1, 2), memory="25Gi")] == seen.blocks("a")
    assert "0,1,2" == seen.mems("a")


@case("MM-PIN-017", machines="cxl", kubelet=RESTRICTED)
def test_memory_only_node_serves_no_exclusive_cpus(prove: Prove) -> None:
    """When only the memory-only node has room, a container with whole CPUs is rejected; one without is placed there."""
    seen = prove(
        admit(guaranteed("a", memory="10Gi")),
        admit(guaranteed("b", memory="10Gi")),
        admit(guaranteed("whole", cpu="2", memory="4Gi")),
        admit(guaranteed("fraction", cpu="1500m", memory="4Gi")),
    )

    answer = seen.verdict("whole")
    assert answer is not None
    assert "TopologyAffinityError" == answer.reason
    assert [block(2, memory="4Gi")] == seen.blocks("fraction")


@case("MM-PIN-018", machines="memoryless", kubelet=RESTRICTED)
def test_node_without_memory_is_not_chosen_for_its_cpus(prove: Prove) -> None:
    """Of two nodes with enough CPUs the one that has memory is taken, not the lower one."""
    seen = prove(admit(guaranteed("a", cpu="7", memory="1Gi")), admit(guaranteed("b", cpu="8", memory="1Gi")))

    assert [block(2, memory="1Gi")] == seen.blocks("b")
    assert "16-23" == seen.exclusive_cpus("b")


@case("MM-PIN-019", machines="two_even", kubelet=SINGLE_POD)
def test_scope_pod_keeps_all_containers_together(prove: Prove) -> None:
    """Two containers of four CPUs each go to node 1, because node 0 has seven to give."""
    two = [container(name, cpu="4", memory="3Gi") for name in ("c1", "c2")]
    seen = prove(admit(guaranteed("a", containers=two)))

    assert ["8-11", "12-15"] == [seen.exclusive_cpus("a", name) for name in ("c1", "c2")]
    assert ["1", "1"] == [seen.mems("a", name) for name in ("c1", "c2")]


@case("MM-PIN-019", machines="two_even", kubelet=SINGLE)
def test_scope_container_places_the_same_pod_on_two_nodes(prove: Prove) -> None:
    """Container by container the same pod has its first container on node 0 and its second on node 1."""
    two = [container(name, cpu="4", memory="3Gi") for name in ("c1", "c2")]
    seen = prove(admit(guaranteed("a", containers=two)))

    assert ["1-4", "8-11"] == [seen.exclusive_cpus("a", name) for name in ("c1", "c2")]
    assert ["0", "1"] == [seen.mems("a", name) for name in ("c1", "c2")]


@case("MM-PIN-019", machines="two_even", kubelet=[SINGLE_POD, SINGLE])
def test_pods_fill_one_node_after_the_other_and_then_are_rejected(prove: Prove) -> None:
    """Two pods of six CPUs and 6Gi have a node each, aligned on it; the third finds neither."""
    seen = prove(*(admit(guaranteed(name, cpu="6", memory="6Gi")) for name in "abc"))

    assert ["1-6", "8-13"] == [seen.exclusive_cpus(name) for name in "ab"]
    assert ["0", "1"] == [seen.mems(name) for name in "ab"]
    answer = seen.verdict("c")
    assert answer is not None
    assert "TopologyAffinityError" == answer.reason


@case("MM-PIN-024", machines="four_snc2", kubelet=static(topology="none", cpu="static"))
def test_whole_socket_goes_before_whole_nodes(prove: Prove) -> None:
    """Nine CPUs are the free socket of eight and one CPU beside the reserved one; the sockets are the machine's own."""
    seen = prove(admit(guaranteed("a", memory="1Gi", cpu="9")))

    assert "1,8-15" == seen.exclusive_cpus("a")

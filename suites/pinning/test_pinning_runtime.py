"""What the container runtime is told: `cpuset_mems` when a container is created, and nothing else."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    admit,
    besteffort,
    block,
    burstable,
    case,
    container,
    exits,
    guaranteed,
    none_policy,
    remove,
    static,
)

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
NONE_CPU, RESTRICTED_CPU = static(cpu="static"), static(topology="restricted", cpu="static")


@case("MM-PIN-005", machines="two_even", kubelet=[NONE, BEST_EFFORT, RESTRICTED, SINGLE])
def test_container_is_created_on_its_node(prove: Prove) -> None:
    """The container of a Guaranteed pod is created with the node of its block."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))

    assert "0" == seen.mems("a")


@case("MM-PIN-005", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pods_are_told_apart(prove: Prove) -> None:
    """Every pod is told its own node: two on node 0, the third on node 1."""
    seen = prove(*(admit(guaranteed(name, memory="5Gi")) for name in "abc"))

    assert ["0", "0", "1"] == [seen.mems(name) for name in "abc"]


@case("MM-PIN-005", machines="two_even", kubelet=[NONE, SINGLE])
def test_containers_of_a_pod_are_told_apart(prove: Prove) -> None:
    """Every container is told its own node, not one of its pod."""
    seen = prove(admit(guaranteed("a", containers=[container("c1", memory="6Gi"), container("c2", memory="6Gi")])))

    assert "0" == seen.mems("a", "c1")
    assert "1" == seen.mems("a", "c2")


@case("MM-PIN-006", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_init_and_app_container_are_created_on_their_node(prove: Prove) -> None:
    """Init container and app container of a Guaranteed pod are both created with the pod's node."""
    a = guaranteed("a", containers=[container(memory="4Gi")], init=[container("i", memory="2Gi")])
    seen = prove(admit(a), exits("a", "i"))

    assert not seen.created("a", after=1)
    assert "0" == seen.mems("a", "i", after=1)
    assert "0" == seen.mems("a")


@case("MM-PIN-007", machines="three", kubelet=[NONE, RESTRICTED])
def test_nodes_are_written_one_by_one(prove: Prove) -> None:
    """Neighbouring nodes are a list with commas, not a range."""
    seen = prove(admit(guaranteed("a", memory="25Gi")))

    assert "0,1,2" == seen.mems("a")


@case("MM-PIN-007", machines="ids_lexical", kubelet=RESTRICTED)
def test_nodes_are_written_in_the_order_of_numbers(prove: Prove) -> None:
    """Nodes 2 and 9 come before 10 and 11, as numbers do and texts do not."""
    seen = prove(admit(guaranteed("a", memory="35Gi")))

    assert "2,9,10,11" == seen.mems("a")


@case("MM-PIN-008", machines="two_even", kubelet=[NONE, SINGLE])
def test_pods_without_guarantee_are_not_pinned(prove: Prove) -> None:
    """BestEffort and Burstable pods are created without any nodes, beside a Guaranteed pod that has them."""
    both = [container("limited", memory="1Gi"), container("free", cpu=None)]
    seen = prove(
        admit(guaranteed("a", memory="1Gi")), admit(besteffort("b")), admit(burstable("mixed", containers=both))
    )

    assert "0" == seen.mems("a")
    assert "" == seen.mems("b")
    assert ["", ""] == [seen.mems("mixed", name) for name in ("limited", "free")]


@case("MM-PIN-009", machines="two_even", kubelet=[none_policy(), none_policy(topology="single-numa-node")])
def test_policy_none_pins_nothing(prove: Prove) -> None:
    """With memory manager policy None a Guaranteed pod may take memory of every node."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))

    assert "" == seen.mems("a")
    assert {} == seen.assigned()


@case("MM-PIN-010", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_container_that_comes_back_is_told_its_node_again(prove: Prove) -> None:
    """A container that failed is created anew with the same nodes, whatever has become free meanwhile."""
    seen = prove(
        admit(guaranteed("a", memory="8Gi")),
        admit(guaranteed("b", memory="8Gi")),
        remove("a"),
        admit(besteffort("other")),
        exits("b", "c", 1),
    )

    assert "1" == seen.mems("b")
    assert [block(1, memory="8Gi")] == seen.blocks("b")


@case("MM-PIN-010", machines="two_even", kubelet=NONE)
def test_container_of_a_group_comes_back_to_its_group(prove: Prove) -> None:
    """A container over two nodes is created anew over both, also when one of them could hold it by now."""
    seen = prove(
        admit(guaranteed("a", memory="15Gi")),
        admit(guaranteed("b", memory="1Gi")),
        remove("a"),
        admit(besteffort("other")),
        exits("b", "c", 1),
    )

    assert "0,1" == seen.mems("b")


@case("MM-PIN-011", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_nothing_is_moved_when_memory_becomes_free(prove: Prove) -> None:
    """A pod stays on its node when a lower one is free again; the next pod goes there."""
    seen = prove(
        admit(guaranteed("a", memory="8Gi")),
        admit(guaranteed("b", memory="8Gi")),
        remove("a"),
        admit(guaranteed("c", memory="8Gi")),
    )

    assert "1" == seen.mems("b")
    assert "0" == seen.mems("c")


@case("MM-PIN-012", machines="two_even", kubelet=[NONE_CPU, RESTRICTED_CPU])
def test_fraction_of_a_cpu_is_pinned_in_memory_only(prove: Prove) -> None:
    """A Guaranteed container without whole CPUs has its memory on a node and shares the CPUs of all nodes."""
    seen = prove(admit(guaranteed("a", memory="9Gi")), admit(guaranteed("b", memory="4Gi", cpu="2500m")))

    assert "1" == seen.mems("b")
    assert "0-15" == seen.cpus("b")


@case("MM-PIN-012", machines="two_even", kubelet=[NONE_CPU, RESTRICTED_CPU])
def test_exclusive_cpus_and_nodes_are_told_together(prove: Prove) -> None:
    """A Guaranteed container with whole CPUs is created with both its CPUs and its node."""
    seen = prove(admit(guaranteed("a", memory="4Gi", cpu="3")))

    assert ("0", "1-3") == (seen.mems("a"), seen.cpus("a"))

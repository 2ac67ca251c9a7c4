"""What may change between two starts of a kubelet that keeps its state, and what may not."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.suite import (
    Configuration,
    Prove,
    admit,
    besteffort,
    block,
    case,
    configured,
    gib,
    guaranteed,
    mib,
    restart,
    static,
)

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
SINGLE_POD = static(topology="single-numa-node", scope="pod")

DIFFERENT = "[memorymanager] the expected machine state is different from the real one"
NO_SUCH_NODE = "the memory assignment uses the NUMA that does not exist"

ON_NODE_0 = admit(guaranteed("a", memory="6Gi"))
ON_NODE_1 = admit(guaranteed("b", memory="6Gi"))
GROUP = admit(guaranteed("g", memory="15Gi"))


def moved(machine: Machine, source: int, target: int, amount: int) -> Machine:
    """The machine with so many bytes of `MemTotal` shown on another node; the same node twice: gone altogether."""
    change = {source: -amount} if source == target else {source: -amount, target: amount}
    return replace(machine, nodes=tuple(replace(n, memory=n.memory + change.get(n.id, 0)) for n in machine.nodes))


def with_pages(machine: Machine, *pools: tuple[int, int]) -> Machine:
    """The machine with so many pages of 2Mi and 1Gi on each node in turn."""
    pairs = zip(machine.nodes, pools, strict=True)
    return replace(
        machine,
        nodes=tuple(replace(node, hugepages=((mib(2), small), (gib(1), big))) for node, (small, big) in pairs),
    )


def written(slug: str, *entries: tuple[int, str], kube: str = "924Mi", **more: object) -> Configuration:
    """Policy Static with these entries of `reservedMemory`, in this order and spelling."""
    reserved = [(node, {"memory": amount}) for node, amount in entries]
    kube_reserved = {"memory": kube}
    return configured(
        slug, memory_manager_policy="Static", reserved_memory=reserved, kube_reserved=kube_reserved, **more
    )


# --- what may not


@case("MM-RESTART-040", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_memory_that_drifted_without_pods(prove: Prove) -> None:
    """A page of `MemTotal` that another boot shows on the other node keeps the kubelet from starting."""
    seen = prove(restart(machine=moved(prove.machine, 0, 1, 4096)))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-040", machines="two_even", kubelet=NONE)
def test_memory_that_drifted_under_a_pod(prove: Prove) -> None:
    """The drift of the report, 43696128 bytes, refuses; on the old machine everything is where it was."""
    drifted = moved(prove.machine, 0, 1, 43696128)
    seen = prove(ON_NODE_0, restart(machine=drifted), restart(machine=prove.machine))

    assert DIFFERENT in (seen.observation(2).refusal or "")
    assert [block(0, memory="6Gi")] == seen.blocks("a")


@case("MM-RESTART-041", machines="two_even", kubelet=NONE)
def test_memory_that_is_gone(prove: Prove) -> None:
    """A node that has lost a memory module is another machine, although no pod used what is gone."""
    seen = prove(ON_NODE_0, restart(machine=moved(prove.machine, 1, 1, gib(4))))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-041", machines="hugepages_even", kubelet=NONE)
def test_pool_that_shrank(prove: Prove) -> None:
    """Fewer huge pages on one node refuse."""
    seen = prove(restart(machine=with_pages(prove.machine, (512, 2), (256, 2))))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-041", machines="hugepages_even", kubelet=NONE)
def test_pool_that_moved(prove: Prove) -> None:
    """As many huge pages on the machine, but spread otherwise, refuse."""
    seen = prove(restart(machine=with_pages(prove.machine, (0, 2), (1024, 2))))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-041", machines="two_even", kubelet=NONE)
def test_page_size_without_pages(prove: Prove) -> None:
    """A kernel that offers page sizes which it did not offer before refuses, even with no page of them."""
    seen = prove(restart(machine=with_pages(prove.machine, (0, 0), (0, 0))))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-042", machines="two_even", kubelet=NONE)
def test_node_of_a_pod_is_gone(prove: Prove) -> None:
    """A pod on a node that the machine has no more is named in the refusal."""
    seen = prove(ON_NODE_0, ON_NODE_1, restart(machine="one", kubelet=NONE))

    assert not seen.running
    assert f"container: c) {NO_SUCH_NODE}" in seen.refusal


@case("MM-RESTART-042", machines="two_even", kubelet=NONE)
def test_unused_node_is_gone(prove: Prove) -> None:
    """A node that is gone refuses, although no pod was on it."""
    seen = prove(ON_NODE_0, restart(machine="one", kubelet=NONE))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-042", machines="one", kubelet=NONE)
def test_node_is_new(prove: Prove) -> None:
    """A node that came refuses, although the others are as they were."""
    seen = prove(ON_NODE_0, restart(machine="two_even", kubelet=NONE))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-042", machines="two_even", kubelet=NONE)
def test_node_has_another_number(prove: Prove) -> None:
    """The same nodes under other numbers are other nodes."""
    first, second = prove.machine.nodes
    seen = prove(ON_NODE_0, restart(machine=replace(prove.machine, nodes=(first, replace(second, id=2))), kubelet=NONE))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-043", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_reservation_moved_to_another_node(prove: Prove) -> None:
    """The same sum, spread otherwise over the nodes, refuses even on a machine without pods."""
    seen = prove(restart(kubelet=static(reserved={0: "256Mi", 1: "768Mi"})))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-043", machines="two_even", kubelet=NONE)
def test_reservation_grew(prove: Prove) -> None:
    """More for the system, and the sums right, refuses, although the pods would fit."""
    seen = prove(ON_NODE_0, restart(kubelet=static(reserved="1Gi")))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-043", machines="two_even", kubelet=NONE)
def test_configuration_is_judged_before_the_file(prove: Prove) -> None:
    """A reservation that does not add up is told as such, and the file is kept for when it does again."""
    wrong = written("wrong", (0, "512Mi"), (1, "256Mi"))
    seen = prove(ON_NODE_0, restart(kubelet=wrong), restart(kubelet=NONE))

    assert 'the total amount "768Mi" of type "memory" is not equal to' in (seen.observation(2).refusal or "")
    assert [block(0, memory="6Gi")] == seen.blocks("a")


# --- what may


@case("MM-RESTART-044", machines="two_even", kubelet=NONE)
def test_reservation_written_otherwise(prove: Prove) -> None:
    """Other units and another order of the entries are the same reservation."""
    bytes_ = written("bytes", (1, "536870912"), (0, "524288Ki"))
    seen = prove(ON_NODE_0, ON_NODE_1, restart(kubelet=bytes_))

    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]
    assert [mib(512), mib(512)] == [seen.system_reserved(node) for node in (0, 1)]


@case("MM-RESTART-044", machines="two_even", kubelet=NONE)
def test_reservation_for_another_purpose(prove: Prove) -> None:
    """What is held back may be the kubelet's, the system's or the threshold's: only the amount is in the file."""
    shifted = written(
        "shifted",
        (0, "512Mi"),
        (1, "512Mi"),
        kube="300Mi",
        system_reserved={"memory": "500Mi"},
        eviction_hard={"memory.available": "224Mi"},
    )
    seen = prove(ON_NODE_0, restart(kubelet=shifted))

    assert [block(0, memory="6Gi")] == seen.blocks("a")


@case("MM-RESTART-044", machines="two_even", kubelet=NONE)
def test_what_is_not_memory(prove: Prove) -> None:
    """Distances and CPUs of the nodes are not in the file."""
    first, second = prove.machine.nodes
    other = replace(second, cpus=CpuSet.parse("8-11"), distances=(31, 10))
    seen = prove(
        ON_NODE_0, ON_NODE_1, restart(machine=replace(prove.machine, nodes=(replace(first, distances=(10, 31)), other)))
    )

    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]


@case("MM-RESTART-045", machines="two_even", kubelet=NONE)
def test_topology_policy_may_change(prove: Prove) -> None:
    """Policy and scope of the topology manager are not in the file: single-node pods stay under each of them."""
    others = [SINGLE, BEST_EFFORT, SINGLE_POD, RESTRICTED]
    seen = prove(ON_NODE_0, ON_NODE_1, *(restart(kubelet=other) for other in others))

    for step in range(3, 7):
        assert [block(0, memory="6Gi")] == seen.blocks("a", after=step)
        assert [block(1, memory="6Gi")] == seen.blocks("b", after=step)


@case("MM-RESTART-045", machines="two_even", kubelet=NONE)
def test_group_under_another_policy(prove: Prove) -> None:
    """A pod over two nodes stays under `restricted` and `best-effort`: it has what it needs."""
    seen = prove(GROUP, restart(kubelet=RESTRICTED), restart(kubelet=BEST_EFFORT))

    assert [True, True] == [seen.admitted("g", after=step) for step in (2, 3)]
    assert [block((0, 1), memory="15Gi")] == seen.blocks("g")


@case("MM-RESTART-046", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_group_under_single_numa_node(prove: Prove) -> None:
    """`single-numa-node` rejects a running pod over two nodes; its memory is free for the next one."""
    seen = prove(GROUP, restart(kubelet=SINGLE), admit(besteffort("other")))
    verdict = seen.verdict("g", after=2)

    assert verdict
    assert "TopologyAffinityError" == verdict.reason
    assert [(0,), (1,)] == [seen.cells(node) for node in (0, 1)]
    assert {} == seen.assigned()

"""Reboots into a machine with other NUMA nodes, other CPUs or other pools of huge pages."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.suite import (
    AS_IT_WAS,
    Prove,
    admit,
    case,
    gib,
    guaranteed,
    mib,
    reboots,
    restart,
    static,
)

NONE, RESTRICTED = static(), static(topology="restricted")
CPU = static(topology="restricted", cpu="static")
AS_BEFORE = "as before"
DIFFERENT = "refuses: [memorymanager] the expected machine state is different from the real one"
NO_SUCH_NODE = (
    "refuses: [memorymanager] (pod: {}.{}, container: c) the memory assignment uses the NUMA that does not exist"
)
NO_NODE_TO_RESERVE = (
    "refuses: the reserved memory configuration references a NUMA node {} that does not exist on this machine"
)

ON_NODE_0, ON_NODE_1 = admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi"))
NEW = NumaNode(3, mib(10752), CpuSet.parse("24-31"), distances=(21, 21, 21, 10))


def of_nodes(machine: Machine, *nodes: NumaNode) -> Machine:
    """A machine with these nodes; distances are left out where their number would not fit."""
    fit = all(len(node.distances or ()) == len(nodes) for node in nodes)
    return replace(machine, nodes=tuple(node if fit else replace(node, distances=None) for node in nodes))


def with_cpus(machine: Machine, **cpus: str) -> Machine:
    """The machine with these CPUs on the nodes `n0`, `n1`."""
    nodes = machine.nodes
    return replace(
        machine, nodes=tuple(replace(n, cpus=CpuSet.parse(cpus.get(f"n{n.id}", str(n.cpus)))) for n in nodes)
    )


def with_pages(machine: Machine, *pools: tuple[int, int]) -> Machine:
    """The machine with so many pages of 2Mi and 1Gi on each node in turn."""
    pairs = zip(machine.nodes, pools, strict=True)
    return replace(
        machine, nodes=tuple(replace(n, hugepages=((mib(2), small), (gib(1), big))) for n, (small, big) in pairs)
    )


# --- NUMA nodes


@case("MM-REBOOT-003", machines="three", kubelet=[NONE, RESTRICTED])
def test_nodes_without_pods(prove: Prove) -> None:
    """Nodes that came, went or have another number, where the reservation was adapted and where it was not."""
    first, second, third = prove.machine.nodes
    gone, more = of_nodes(prove.machine, first, second), of_nodes(prove.machine, first, second, third, NEW)
    bare = of_nodes(prove.machine, first, second, third, replace(NEW, cpus=CpuSet()))
    renumbered = of_nodes(prove.machine, first, second, replace(third, id=5))
    empty = of_nodes(prove.machine, first, second, replace(third, memory=0))
    found = reboots(
        prove,
        changes={
            "a node is gone": restart(machine=gone, kubelet=prove.configuration),
            "a node is gone, and reserved on": restart(machine=gone, kubelet=prove.configuration(prove.machine)),
            "a node came": restart(machine=more, kubelet=prove.configuration),
            "a node came, and nothing is reserved on it": restart(
                machine=more, kubelet=prove.configuration(prove.machine)
            ),
            "a node without CPUs came": restart(machine=bare, kubelet=prove.configuration(prove.machine)),
            "a node has another number": restart(machine=renumbered, kubelet=prove.configuration),
            "a node has another number, and is reserved on": restart(
                machine=renumbered, kubelet=prove.configuration(prove.machine)
            ),
            "a node has no memory": restart(machine=empty, kubelet=prove.configuration),
        },
    )

    assert NO_NODE_TO_RESERVE.format(2) == found.pop("a node is gone, and reserved on")
    assert NO_NODE_TO_RESERVE.format(2) == found.pop("a node has another number, and is reserved on")
    assert AS_BEFORE == found.pop(AS_IT_WAS)
    assert {DIFFERENT} == set(found.values())


@case("MM-REBOOT-003", machines="three", kubelet=NONE)
def test_nodes_under_pods(prove: Prove) -> None:
    """A pod whose node is gone is named; a pod on a node that stayed is there again when the other came back."""
    first, second, third = prove.machine.nodes
    found = reboots(
        prove,
        ON_NODE_0,
        ON_NODE_1,
        changes={
            "unused": restart(machine=of_nodes(prove.machine, first, second), kubelet=prove.configuration),
            "used": restart(machine=of_nodes(prove.machine, first, third), kubelet=prove.configuration),
            "first": restart(machine=of_nodes(prove.machine, second, third), kubelet=prove.configuration),
            "used by number": restart(
                machine=of_nodes(prove.machine, first, replace(second, id=4), third), kubelet=prove.configuration
            ),
        },
    )

    assert {
        "unused": DIFFERENT,
        "used": NO_SUCH_NODE.format("b", 2),
        "first": NO_SUCH_NODE.format("a", 1),
        "used by number": NO_SUCH_NODE.format("b", 2),
        AS_IT_WAS: AS_BEFORE,
    } == found


@case("MM-REBOOT-003", machines="two_uneven", kubelet=NONE)
def test_numbers_of_uneven_nodes_are_exchanged(prove: Prove) -> None:
    """The small node is node 0 now."""
    first, second = prove.machine.nodes
    exchanged = of_nodes(prove.machine, replace(second, id=0), replace(first, id=1))
    found = reboots(prove, ON_NODE_0, changes={"exchanged": restart(machine=exchanged)})

    assert {"exchanged": DIFFERENT, AS_IT_WAS: AS_BEFORE} == found


@case("MM-REBOOT-003", machines="two_even", kubelet=NONE)
def test_numbers_of_equal_nodes_are_exchanged(prove: Prove) -> None:
    """Nobody can tell: the state is taken over, and the pods are on the other socket."""
    exchanged = with_cpus(prove.machine, n0="8-15", n1="0-7")
    found = reboots(prove, ON_NODE_0, ON_NODE_1, changes={"exchanged": restart(machine=exchanged)})

    assert {"exchanged": AS_BEFORE, AS_IT_WAS: AS_BEFORE} == found


# --- CPUs


@case("MM-REBOOT-004", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_cpus_that_nobody_keeps_books_of(prove: Prove) -> None:
    """One CPU or all of a node are offline, or some are new: memory is where it was."""
    found = reboots(
        prove,
        ON_NODE_0,
        ON_NODE_1,
        changes={
            "one offline": restart(machine=with_cpus(prove.machine, n1="8-14")),
            "a node offline": restart(machine=with_cpus(prove.machine, n1="")),
            "more": restart(machine=with_cpus(prove.machine, n1="8-19")),
        },
    )

    assert {"one offline": AS_BEFORE, "a node offline": AS_BEFORE, "more": AS_BEFORE, AS_IT_WAS: AS_BEFORE} == found


@case("MM-REBOOT-004", machines="two_even", kubelet=CPU)
def test_cpus_of_the_cpu_manager(prove: Prove) -> None:
    """The static CPU policy wants the CPUs that it knows, whether a pod has them or not."""
    mismatch = 'refuses: current set of available CPUs "{}" doesn\'t match with CPUs in state "0-15"'
    pods = [admit(guaranteed("a", memory="6Gi", cpu="2")), admit(guaranteed("b", memory="6Gi", cpu="8"))]
    found = reboots(
        prove,
        *pods,
        changes={
            "unused offline": restart(machine=with_cpus(prove.machine, n0="0-6")),
            "exclusive offline": restart(machine=with_cpus(prove.machine, n1="8-14")),
            "more": restart(machine=with_cpus(prove.machine, n1="8-17")),
        },
    )

    assert {
        "unused offline": mismatch.format("0-6,8-15"),
        "exclusive offline": mismatch.format("0-14"),
        "more": mismatch.format("0-17"),
        AS_IT_WAS: AS_BEFORE,
    } == found


# --- huge pages

POOLS = {
    "fewer of 2Mi": ((511, 2), (512, 2)),
    "more of 2Mi": ((512, 2), (513, 2)),
    "fewer of 1Gi": ((512, 1), (512, 2)),
    "moved": ((0, 2), (1024, 2)),
    "exchanged": ((1024, 1), (0, 3)),
    "none": ((0, 0), (0, 0)),
}


@case("MM-REBOOT-005", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_pools_without_pods(prove: Prove) -> None:
    """Any other number of pages on any node refuses."""
    changes = {name: restart(machine=with_pages(prove.machine, *pools)) for name, pools in POOLS.items()}
    changes["no such sizes"] = restart(
        machine=replace(prove.machine, nodes=tuple(replace(n, hugepages=()) for n in prove.machine.nodes))
    )
    found = reboots(prove, changes=changes)

    assert AS_BEFORE == found.pop(AS_IT_WAS)
    assert dict.fromkeys(changes, DIFFERENT) == found


@case("MM-REBOOT-005", machines="hugepages_even", kubelet=NONE)
def test_pools_under_pods(prove: Prove) -> None:
    """The same with pages in use; sizes that are gone are told by the name of the pod that has such pages."""
    pod = admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "512Mi", "1Gi": "1Gi"}))
    changes = {name: restart(machine=with_pages(prove.machine, *pools)) for name, pools in POOLS.items()}
    changes["no such sizes"] = restart(
        machine=replace(prove.machine, nodes=tuple(replace(n, hugepages=()) for n in prove.machine.nodes))
    )
    found = reboots(prove, pod, changes=changes)

    gone = "[memorymanager] (pod: a.1, container: c) the memory assignment uses memory resource that does not exist"
    assert (f"refuses: {gone}", AS_BEFORE) == (found.pop("no such sizes"), found.pop(AS_IT_WAS))
    assert dict.fromkeys(POOLS, DIFFERENT) == found

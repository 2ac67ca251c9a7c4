"""Boots of a machine with another pool of huge pages, other memory or other NUMA nodes, and of the machine as it was."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.suite import Prove, admit, block, case, guaranteed, mib, restart, static

NONE = static(reserved="64Mi")
DIFFERENT = "[memorymanager] the expected machine state is different from the real one"
NO_SUCH_NODE = "[memorymanager] (pod: b.2, container: c) the memory assignment uses the NUMA that does not exist"
NO_SUCH_PAGES = (
    "[memorymanager] (pod: a.1, container: c) the memory assignment uses memory resource that does not exist"
)

EXPANDER = NumaNode(2, mib(384), CpuSet(), distances=(14, 24, 10))
"""Memory without CPUs, as that of small_three."""


def with_pages(machine: Machine, *pools: int | None) -> Machine:
    """The machine with so many pages of 2Mi on each node in turn; None for a kernel that does not offer this size."""
    pairs = zip(machine.nodes, pools, strict=True)
    return replace(
        machine,
        nodes=tuple(replace(n, hugepages=() if pages is None else ((mib(2), pages),)) for n, pages in pairs),
    )


def without_last(machine: Machine) -> Machine:
    """The machine without its last node."""
    nodes = machine.nodes[:-1]
    return replace(machine, nodes=tuple(replace(n, distances=(n.distances or ())[: len(nodes)]) for n in nodes))


def with_expander(machine: Machine) -> Machine:
    """The machine of two nodes with a third."""
    far = EXPANDER.distances or ()
    nodes = (replace(n, distances=(*(n.distances or ()), far[n.id])) for n in machine.nodes)
    return replace(machine, nodes=(*nodes, EXPANDER))


@case("MM-BOOT-005", machines="small_pages", kubelet=NONE)
def test_pools_of_huge_pages(prove: Prove) -> None:
    """Pages have moved to the other node, which has room for the pod's; then there are none; then they are as they were."""
    seen = prove(
        admit(guaranteed("a", memory="64Mi", hugepages={"2Mi": "32Mi"})),
        restart(signal="POWER", machine=with_pages(prove.machine, 32, 16)),
        restart(signal="POWER", machine=with_pages(prove.machine, None, None)),
        restart(signal="POWER", machine=prove.machine),
    )

    assert DIFFERENT in (seen.observation(2).refusal or "")
    assert NO_SUCH_PAGES in (seen.observation(3).refusal or "")
    assert [{0: mib(32)}] * 2 == [seen.pages("a", after=step).huge for step in (1, 4)]


@case("MM-BOOT-004", machines="small_two", kubelet=NONE)
def test_module_came(prove: Prove) -> None:
    """Node 1 has 128Mi more than the books say, which would do for everybody; it is refused as less would be."""
    first, second = prove.machine.nodes
    more = replace(prove.machine, nodes=(first, replace(second, memory=second.memory + mib(128))))
    seen = prove(
        *[admit(guaranteed(name, memory="256Mi")) for name in "ab"],
        restart(signal="REBOOT", machine=more),
        restart(signal="REBOOT", machine=prove.machine),
    )

    assert DIFFERENT in (seen.observation(3).refusal or "")
    assert [(0,), (1,)] == [seen.pages(name).nodes for name in "ab"]


@case("MM-BOOT-006", machines="small_three", kubelet=NONE)
def test_node_of_a_pod_is_gone_and_comes_back(prove: Prove) -> None:
    """The expander with `b` is not there for a boot, and nothing is reserved on it: the kubelet tells whose node it misses."""
    seen = prove(
        *[admit(guaranteed("a", memory="384Mi")), admit(guaranteed("b", memory="256Mi"))],
        restart(signal="POWER", machine=without_last(prove.machine), kubelet=prove.configuration),
        restart(signal="POWER", machine=prove.machine, kubelet=prove.configuration),
    )

    assert NO_SUCH_NODE in (seen.observation(3).refusal or "")
    assert [block(2, memory="256Mi")] == seen.blocks("b")
    assert [(0,), (2,)] == [seen.pages(name).nodes for name in "ab"]


@case("MM-BOOT-006", machines="small_two", kubelet=NONE)
def test_node_came(prove: Prove) -> None:
    """An expander: refused, until the state is removed; then pods lie on it, too."""
    larger = with_expander(prove.machine)
    seen = prove(
        *[admit(guaranteed(name, memory="256Mi")) for name in "ab"],
        restart(signal="POWER", machine=larger, kubelet=prove.configuration),
        restart(state="lose"),
        admit(guaranteed("c", memory="256Mi")),
    )

    assert DIFFERENT in (seen.observation(3).refusal or "")
    assert [(0,), (1,), (2,)] == [seen.pages(name).nodes for name in "abc"]

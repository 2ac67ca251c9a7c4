"""Which CPUs the CPU manager takes for a request: whole nodes, whole sockets, whole cores, then single CPUs.

The packed order of the static policy with default options. It matters here because a container's CPUs decide what is left
for the hints of the next one, and so where memory may go. KEP-3570 and the concept page "Control
CPU Management Policies on the Node" say what is promised; the order in detail is knowledge of upstream's algorithm, checked
against real kubelets (docs/adr/0001).

Rules:

* Take whole units only while at least as many CPUs are still wanted as the unit has.
* Where the machine has at least as many sockets as NUMA nodes, NUMA nodes come first and sockets second, otherwise the
  reverse (a socket split into several nodes).
* Among equals the unit with fewer free CPUs goes first, then the lower number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode


@dataclass(frozen=True, slots=True)
class CpuTopology:
    """Where every CPU sits."""

    node_of: dict[int, int] = field(default_factory=dict)
    """CPU → NUMA node number."""

    socket_of: dict[int, int] = field(default_factory=dict)
    """CPU → physical package."""

    core_of: dict[int, int] = field(default_factory=dict)
    """CPU → core number, unique within the machine."""

    @property
    def all(self) -> CpuSet:
        """Every CPU."""
        return CpuSet(self.node_of)

    @property
    def nodes(self) -> tuple[int, ...]:
        """Numbers of the NUMA nodes that have CPUs, ascending."""
        return tuple(sorted(set(self.node_of.values())))


def topology_of(machine: Machine) -> CpuTopology:
    """The topology of a machine; `threads_per_core` CPUs with adjacent numbers share a core."""
    topology = CpuTopology()
    for node in machine.seen():
        for position, cpu in enumerate(sorted(node.cpus)):
            topology.node_of[cpu] = node.id
            topology.socket_of[cpu] = _socket(machine, node)
            topology.core_of[cpu] = sorted(node.cpus)[position - position % machine.threads_per_core]
    return topology


def _socket(machine: Machine, node: NumaNode) -> int:
    return machine.socket_of(node)


def pick(topology: CpuTopology, available: CpuSet, wanted: int) -> CpuSet | None:
    """So many CPUs out of those available, or None where there are not enough."""
    if len(available) < wanted:
        return None
    free = set(available)
    taken: set[int] = set()
    for whole_units in _levels(topology):
        for unit in whole_units(free):
            if len(unit) <= wanted - len(taken):
                taken |= unit
                free -= unit
    return CpuSet(taken)


Unit = frozenset[int]
"""CPUs that are taken together or not at all."""

UnitOf = Mapping[int, int]
"""CPU → number of the NUMA node, socket or core that it belongs to."""


def _levels(topology: CpuTopology) -> tuple[Callable[[set[int]], list[Unit]], ...]:
    """What is taken first, second, third and last: each level lists its units among the free CPUs, in order."""
    nodes_are_larger = len(set(topology.socket_of.values())) >= len(topology.nodes)
    larger, smaller = topology.node_of, topology.socket_of
    if not nodes_are_larger:
        larger, smaller = smaller, larger
    order = (larger, smaller, topology.core_of)
    return (
        lambda free: [u for u in _nested(free, order[:1]) if u == _members(larger, u)],
        lambda free: [u for u in _nested(free, order[:2]) if u == _members(smaller, u)],
        lambda free: [u for u in _nested(free, order[:3]) if u == _members(topology.core_of, u)],
        lambda free: [frozenset({cpu}) for unit in _nested(free, order) for cpu in sorted(unit)],
    )


def _nested(free: Iterable[int], order: tuple[UnitOf, ...]) -> list[Unit]:
    """The free CPUs by the innermost unit of `order`, the outer units sorted first: fewer free CPUs, then lower number."""
    if not order:
        return [frozenset(free)]
    groups: dict[int, set[int]] = {}
    for cpu in free:
        groups.setdefault(order[0][cpu], set()).add(cpu)
    ranked = sorted(groups, key=lambda number: (len(groups[number]), number))
    return [unit for number in ranked for unit in _nested(groups[number], order[1:])]


def _members(unit_of: UnitOf, unit: Unit) -> Unit:
    """Every CPU of the machine in the unit that these CPUs belong to."""
    number = unit_of[next(iter(unit))]
    return frozenset(cpu for cpu, other in unit_of.items() if other == number)

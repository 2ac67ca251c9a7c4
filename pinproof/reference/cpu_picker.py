"""Which CPUs the CPU manager takes for a request: whole nodes, whole sockets, whole cores, then single CPUs.

The packed order of the static policy with default options. It matters here because a container's CPUs decide what is left
for the hints of the next one, and so where memory may go. KEP-3570 and the concept page "Control
CPU Management Policies on the Node" say what is promised; the order in detail is knowledge of upstream's algorithm, checked
against real kubelets (docs/adr/0001).

Rules:

* Take whole units only while at least as many CPUs are still wanted as the unit has.
* Where the machine has at least as many sockets as NUMA nodes, NUMA nodes come first and sockets second, otherwise the
  reverse (a socket split into several nodes).
* A socket or core counts as free when as many of its CPUs are free as one has on the average of the machine, and is then
  taken as it stands. On a machine whose sockets differ, a free one is not seen, or CPUs are taken that were not free.
* Among equals the unit with fewer free CPUs goes first, then the lower number.

>>> from pinproof.scenario.machine import Machine, NumaNode
>>> two = Machine("two", (NumaNode(0, 2**30, CpuSet(range(4))), NumaNode(1, 2**30, CpuSet(range(4, 8)))))
>>> listed(pick(topology_of(two), cpus_of(CpuSet.parse("1-7")), 5))
'1,4-7'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pinproof.reference.masks import positions
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine

Cpus = int
"""A set of CPUs: bit n stands for CPU n."""


def cpus_of(numbers: Iterable[int]) -> Cpus:
    """The set of these CPU numbers."""
    return sum(1 << number for number in set(numbers))


@lru_cache(maxsize=4096)
def listed(cpus: Cpus) -> str:
    """The kernel's list form."""
    return str(CpuSet(positions(cpus)))


@dataclass(frozen=True, eq=False, slots=True)
class CpuTopology:
    """Where every CPU sits. Equal to itself only, so that what was worked out for it is found again quickly."""

    all: Cpus
    """Every CPU."""

    nodes: tuple[Cpus, ...]
    """CPUs of the NUMA node at each position, nodes without CPUs included."""

    levels: tuple[tuple[Cpus, ...], ...]
    """The units of each kind, those that are taken first in front: nodes and sockets in either order, then cores. Each kind
    ascending by number."""

    averages: tuple[int | None, ...]
    """Of each kind: how many free CPUs make a unit free; None where it is all that the unit has."""


@lru_cache(maxsize=64)
def topology_of(machine: Machine) -> CpuTopology:
    """The topology of a machine; `threads_per_core` CPUs with adjacent numbers share a core."""
    nodes: list[Cpus] = []
    sockets: dict[int, Cpus] = {}
    cores: list[Cpus] = []
    for node in machine.seen():
        cpus = cpus_of(node.cpus)
        nodes.append(cpus)
        if cpus:
            sockets[machine.socket_of(node)] = sockets.get(machine.socket_of(node), 0) | cpus
        ordered, threads = sorted(node.cpus), machine.threads_per_core
        cores += [cpus_of(ordered[at : at + threads]) for at in range(0, len(ordered), threads)]
    with_cpus = tuple(filter(None, nodes))
    packages = tuple(sockets[number] for number in sorted(sockets))
    every = sum(with_cpus)
    kinds = [(with_cpus, None), (packages, _average(every, packages))]
    if len(packages) < len(with_cpus):
        kinds.reverse()
    kinds.append((tuple(sorted(cores)), _average(every, cores)))
    return CpuTopology(every, tuple(nodes), tuple(units for units, _ in kinds), tuple(size for _, size in kinds))


def _average(every: Cpus, units: Sequence[Cpus]) -> int:
    return every.bit_count() // max(1, len(units))


@lru_cache(maxsize=4096)
def pick(topology: CpuTopology, available: Cpus, wanted: int) -> Cpus | None:
    """So many CPUs out of those available, or None where there are not enough."""
    if wanted == 0:
        return 0
    if available.bit_count() < wanted:
        return None
    taken = 0
    for depth, (level, average) in enumerate(zip(topology.levels, topology.averages, strict=True), start=1):
        if all(unit.bit_count() > wanted - taken.bit_count() for unit in level):
            continue
        for free in _nested(available & ~taken, topology.levels[:depth]):
            unit = next(unit for unit in level if unit & free)
            size = unit.bit_count()
            if free.bit_count() == (average or size) and size <= wanted - taken.bit_count():
                taken |= unit
    for unit in _nested(available & ~taken, topology.levels):
        for cpu in positions(unit)[: wanted - taken.bit_count()]:
            taken |= 1 << cpu
    return taken


def _nested(free: Cpus, levels: tuple[tuple[Cpus, ...], ...]) -> list[Cpus]:
    """The free CPUs by the innermost of these units, the outer units sorted first: fewer free CPUs, then lower number."""
    if not levels:
        return [free]
    parts = sorted((part for unit in levels[0] if (part := free & unit)), key=int.bit_count)
    return [inner for part in parts for inner in _nested(part, levels[1:])]

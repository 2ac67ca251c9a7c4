"""Drawn machines: few nodes mostly, and every irregularity that a kubelet may meet (behaviour.md 1.6).

Nodes are some GiB and have some CPUs, so that a handful of pods fills them. More than eight nodes are rare: the kubelet tries
every set of nodes, and so does everybody who predicts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pinproof.fuzz.amounts import GIB, KIB, MIB
from pinproof.fuzz.draws import Draws, Odds
from pinproof.fuzz.profile import Profile
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode

_COUNTS = Odds(
    *{1: 700, 2: 3500, 3: 1700, 4: 2900, 5: 400, 6: 450, 7: 100, 8: 200, 9: 30, 10: 15, 12: 4, 16: 1}.items(),
)
_SIZES = (4 * GIB, 2 * GIB, GIB, 8 * GIB, 16 * GIB, 64 * GIB)
_PAGE_SIZES = Odds(
    ((), 45),
    ((2 * MIB,), 18),
    ((GIB,), 18),
    ((2 * MIB, GIB), 14),
    ((512 * MIB,), 2),
    ((64 * KIB, 2 * MIB), 2),
    ((32 * MIB, 16 * GIB), 1),
)
_EVENNESS = Odds(("even", 50), ("uneven", 35), ("odd", 15))
_FAR = 21
"""Distance of a node that comes later."""

DRIFTS_UP_TO = 6
"""Most nodes of a machine that gets one more: merging the hints of all stays quick."""

_CORES = Odds((4, 40), (8, 30), (2, 15), (6, 10), (16, 5))


def draw_machine(draws: Draws, profile: Profile) -> Machine:
    """A machine whose first node has memory and CPUs."""
    count = min(draws.weigh(_COUNTS), profile.max_nodes)
    ids = _ids(draws, count)
    threads = 2 if draws.chance(25) else 1
    memory = _memory(draws, count)
    cpus = _cpus(draws, count, threads)
    windows = profile.windows and draws.chance(6)
    pages = [()] * count if windows else _pages(draws, memory)
    rows = _distances(draws, count)
    per_socket = 2 if count > 1 and draws.chance(20) else 0
    nodes = tuple(
        NumaNode(
            id=ids[i],
            memory=memory[i],
            cpus=cpus[i],
            hugepages=pages[i],
            distances=rows[i] if rows else None,
            socket=i // per_socket if per_socket else None,
        )
        for i in range(count)
    )
    machine = Machine("drawn", nodes, threads_per_core=threads)
    if windows:
        return replace(machine, os="windows")
    return replace(machine, numa=False) if draws.chance(0.3) else machine


def _ids(draws: Draws, count: int) -> tuple[int, ...]:
    if not draws.chance(12):
        return tuple(range(count))
    ids = [draws.integer(0, 2)]
    while len(ids) < count:
        ids.append(ids[-1] + draws.pick((1, 1, 2, 8)))
    return tuple(ids)


def _memory(draws: Draws, count: int) -> list[int]:
    """`MemTotal` by node: all the same, different, or what a kernel really leaves of a round number."""
    base, evenness = draws.pick(_SIZES), draws.weigh(_EVENNESS)
    memory = []
    for index in range(count):
        size = base
        if evenness == "uneven" and index:
            size = draws.pick((base, 2 * base, base // 2, base + GIB, base + 512 * MIB, 3 * base))
        elif evenness == "odd":
            size -= 4 * KIB * draws.integer(0, 20_000)
        memory.append(0 if index and draws.chance(2) else size)
    return memory


def _cpus(draws: Draws, count: int, threads: int) -> list[CpuSet]:
    """CPUs by node; now and then numbered across the nodes, and nodes without any."""
    each = draws.weigh(_CORES)
    if draws.chance(10):
        cores = each // threads * count
        return [CpuSet(c for core in range(i, cores, count) for c in _core(core, threads)) for i in range(count)]
    lacking = draws.chance(12)
    cpus, first = [], 0
    for index in range(count):
        many = 0 if index and lacking and draws.chance(50) else each
        cpus.append(CpuSet(range(first, first + many)))
        first += many
    return cpus


def _core(number: int, threads: int) -> range:
    return range(number * threads, (number + 1) * threads)


def _pages(draws: Draws, memory: Sequence[int]) -> list[tuple[tuple[int, int], ...]]:
    """Huge pages by node: every size exists on every node, but maybe without pages."""
    sizes = draws.weigh(_PAGE_SIZES)
    alike = draws.chance(50)
    pools: list[tuple[tuple[int, int], ...]] = []
    for room in memory:
        if alike and pools and all(size * count <= room // 2 for size, count in pools[0]):
            pools.append(pools[0])
            continue
        most = [room // 2 // len(sizes) // size for size in sizes]
        pools.append(tuple((size, _page_count(draws, m)) for size, m in zip(sizes, most, strict=True)))
    return pools


def _page_count(draws: Draws, most: int) -> int:
    if most == 0 or draws.chance(15):
        return 0
    return min(most, draws.pick((1, 2, 3, 8, 64, 512)))


def _distances(draws: Draws, count: int) -> list[tuple[int, ...]]:
    """Rows of distances, or none: pairs of nodes are closer, or every distance is drawn (rarely both ways apart)."""
    if not draws.chance(45):
        return []
    if draws.chance(50):
        return [tuple(10 if i == j else 11 if i // 2 == j // 2 else 21 for j in range(count)) for i in range(count)]
    rows = [[10] * count for _ in range(count)]
    one_way = draws.chance(5)
    for i in range(count):
        for j in range(i):
            rows[i][j] = draws.pick((20, 12, 16, 21, 31))
            rows[j][i] = draws.pick((20, 12, 31)) if one_way else rows[i][j]
    return [tuple(row) for row in rows]


def drifted(draws: Draws, machine: Machine, profile: Profile) -> Machine:
    """The machine after a reboot or a change of hardware: mostly a little off, rarely another."""
    index = draws.integer(0, len(machine.nodes) - 1)
    node = machine.nodes[index]
    change = draws.pick(("memory", "pages", "nodes", "nodes", "cpus", "all"))
    if change == "all":
        return draw_machine(draws, profile)
    if change == "nodes" and len(machine.nodes) > 1 and draws.chance(50):
        return replace(machine, nodes=_without_last(machine.nodes))
    if change == "nodes" and len(machine.nodes) < min(DRIFTS_UP_TO, profile.max_nodes):
        return replace(machine, nodes=_with_one_more(machine.nodes))
    if change == "cpus" and len(node.cpus) > 2 * machine.threads_per_core:
        fewer = sorted(node.cpus)[: -machine.threads_per_core]
        return _with(machine, index, replace(node, cpus=CpuSet(fewer)))
    if change == "pages" and node.hugepages and draws.chance(25):
        return replace(machine, nodes=tuple(replace(other, hugepages=other.hugepages[1:]) for other in machine.nodes))
    if change == "pages" and node.hugepages:
        (size, count), *others = node.hugepages
        other = max(0, count + draws.pick((-1, 1, -2)))
        pages = ((size, other), *others)
        if sum(s * c for s, c in pages) <= node.memory:
            return _with(machine, index, replace(node, hugepages=pages))
    off = draws.pick((4, -4, 1, 64, -64, -1024, 1024)) * KIB
    used = sum(size * count for size, count in node.hugepages)
    return _with(machine, index, replace(node, memory=max(node.memory + off, used + 256 * MIB)))


def _without_last(nodes: tuple[NumaNode, ...]) -> tuple[NumaNode, ...]:
    return tuple(
        replace(node, distances=None if node.distances is None else node.distances[: len(nodes) - 1])
        for node in nodes[:-1]
    )


def _with_one_more(nodes: tuple[NumaNode, ...]) -> tuple[NumaNode, ...]:
    """The nodes and one of memory alone, as a CXL device shows itself, so that the CPU manager has nothing against it."""
    last = nodes[-1]
    far = tuple(_FAR for _ in nodes)
    added = replace(last, id=last.id + 1, cpus=CpuSet(), distances=None if last.distances is None else (*far, 10))
    grown = (replace(n, distances=None if n.distances is None else (*n.distances, _FAR)) for n in nodes)
    return (*grown, added)


def _with(machine: Machine, index: int, node: NumaNode) -> Machine:
    return replace(machine, nodes=(*machine.nodes[:index], node, *machine.nodes[index + 1 :]))

"""A rough idea of what is free while a scenario is drawn, so that sizes can be drawn near the boundaries.

It keeps the two rules that matter most (the narrowest set of nodes that fits; a node is in one group) and knows nothing of hints,
CPUs, reuse or restarts. Being wrong costs nothing but a size that is less close: what happens is for the reference to say. That
is why the reference itself is not asked: it costs more than drawing, and a scenario would then depend on the model's mistakes
and their mending (docs/adr/0008).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from pinproof.fuzz.amounts import page_name
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine

Request = Mapping[str, int]
"""Memory type → bytes."""

_ALL_SETS = 4
"""Up to so many nodes every set is tried, above only neighbours."""


class Stock:
    """What would be free; nodes go by their position. Sizes are bytes."""

    def __init__(self, machine: Machine, config: KubeletConfig) -> None:
        self.nodes = len(machine.nodes)
        self.allocatable = _allocatable(machine, config)
        self.free = {kind: list(sizes) for kind, sizes in self.allocatable.items()}
        self._policy = config.topology_manager_policy
        self._uses = [0] * self.nodes
        self._groups: list[tuple[int, ...]] = [(i,) for i in range(self.nodes)]
        self._held: dict[str, list[tuple[tuple[int, ...], Request]]] = {}

    def place(self, pod: str, requests: Iterable[Request]) -> None:
        """Take what a pod would get, request by request."""
        for request in requests:
            nodes = self._nodes_for(request)
            if nodes is None:
                return
            self._move(nodes, request, 1)
            self._held.setdefault(pod, []).append((nodes, request))

    def drop(self, pod: str) -> None:
        """Give back what a pod has."""
        for nodes, request in self._held.pop(pod, ()):
            self._move(nodes, request, -1)

    def _nodes_for(self, request: Request) -> tuple[int, ...] | None:
        narrowest = self.nodes
        for nodes in _sets(self.nodes):
            if not _holds(self.allocatable, nodes, request):
                continue
            narrowest = min(narrowest, len(nodes))
            if self._policy in {"restricted", "single-numa-node"} and len(nodes) > narrowest:
                return None
            if self._keeps_groups(nodes) and _holds(self.free, nodes, request):
                return nodes
        return None

    def _keeps_groups(self, nodes: tuple[int, ...]) -> bool:
        if len(nodes) == 1:
            return len(self._groups[nodes[0]]) == 1
        return all(not self._uses[i] or self._groups[i] == nodes for i in nodes)

    def _move(self, nodes: tuple[int, ...], request: Request, sign: int) -> None:
        for kind, size in request.items():
            free, most = self.free[kind], self.allocatable[kind]
            left = size
            for i in nodes:
                part = min(left, free[i] if sign > 0 else most[i] - free[i])
                free[i] -= sign * part
                left -= part
        for i in nodes:
            self._uses[i] += sign
            self._groups[i] = nodes if self._uses[i] else (i,)


def _allocatable(machine: Machine, config: KubeletConfig) -> dict[str, Sequence[int]]:
    reserved: dict[int, int] = {}
    for entry in config.reserved_memory:
        for kind, quantity in entry.limits:
            reserved[entry.numa_node] = reserved.get(entry.numa_node, 0) + (quantity.value() if kind == "memory" else 0)
    tables: dict[str, list[int]] = {"memory": []}
    for node in machine.nodes:
        pages = 0
        for size, count in node.hugepages:
            tables.setdefault(page_name(size), []).append(size * count)
            pages += size * count
        tables["memory"].append(max(0, node.memory - reserved.get(node.id, 0) - pages))
    return dict(tables)


def _holds(table: Mapping[str, Sequence[int]], nodes: tuple[int, ...], request: Request) -> bool:
    for kind, size in request.items():
        sizes = table.get(kind)
        if sizes is None or sum([sizes[i] for i in nodes]) < size:
            return False
    return True


@lru_cache(maxsize=32)
def _sets(nodes: int) -> tuple[tuple[int, ...], ...]:
    """Sets of nodes, narrow ones first."""
    if nodes <= _ALL_SETS:
        masks = [tuple(i for i in range(nodes) if mask >> i & 1) for mask in range(1, 1 << nodes)]
    else:
        masks = [tuple(range(low, high)) for low in range(nodes) for high in range(low + 1, nodes + 1)]
    return tuple(sorted(masks, key=len))

"""The machine of a scenario: its NUMA nodes, as the kernel would show them.

Sizes are bytes, huge pages are counted in pages. A `Machine` says what is on the board; `Machine.seen` says what a kubelet
makes of it (behaviour.md 1.6: a kernel without NUMA shows the sockets as nodes that have no memory).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pinproof.scenario.cpuset import CpuSet


@dataclass(frozen=True, slots=True)
class NumaNode:
    """One NUMA node."""

    id: int
    """The kernel's number of the node; ids may start above 0 and have gaps."""

    memory: int
    """`MemTotal` of the node in bytes, a multiple of 1024; 0 for a node without memory."""

    cpus: CpuSet = CpuSet()
    """CPUs of the node; empty for a memory-only node."""

    hugepages: tuple[tuple[int, int], ...] = ()
    """(page size in bytes, number of pages), ascending by size; a size with 0 pages is offered but empty."""

    distances: tuple[int, ...] | None = None
    """Distance to every node in kernel order (one number a node), None where the kernel shows none."""

    socket: int | None = None
    """Physical package of the node's CPUs; None means that every node is a package of its own."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine shape."""

    name: str
    nodes: tuple[NumaNode, ...]
    """Ascending by id."""

    threads_per_core: int = 1
    """CPUs of one core have adjacent numbers within their node."""

    numa: bool = True
    """False: the kernel was built without NUMA and has no node directories."""

    os: Literal["linux", "windows"] = "linux"
    """Whose memory manager it is: `Static` exists on Linux alone, `BestEffort` on Windows alone (behaviour.md 9)."""

    provenance: str = ""
    """Where the shape comes from."""

    @property
    def memory(self) -> int:
        """`MemTotal` of the whole machine in bytes: the sum of its nodes."""
        return sum([node.memory for node in self.nodes])

    @property
    def cpus(self) -> CpuSet:
        """All CPUs of the machine."""
        return CpuSet(frozenset().union(*[node.cpus for node in self.nodes]))

    @property
    def hugepages(self) -> dict[int, int]:
        """Page size in bytes → pages on the whole machine."""
        totals: dict[int, int] = {}
        for node in self.nodes:
            for size, pages in node.hugepages:
                totals[size] = totals.get(size, 0) + pages
        return totals

    def socket_of(self, node: NumaNode) -> int:
        """Physical package id of a node's CPUs."""
        return node.id if node.socket is None else node.socket

    def seen(self) -> tuple[NumaNode, ...]:
        """The NUMA nodes a kubelet believes in: those of the kernel, or one without memory for each socket."""
        if self.numa:
            return self.nodes
        sockets: dict[int, list[int]] = {}
        for node in self.nodes:
            sockets.setdefault(self.socket_of(node), []).extend(node.cpus)
        blank = NumaNode(id=0, memory=0)
        return tuple(
            replace(blank, id=socket, cpus=CpuSet(cpus), socket=socket)
            for socket, cpus in sorted(sockets.items())
            if cpus
        )

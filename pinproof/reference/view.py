"""What can be seen of a modelled node: its books in the terms of a history, by pod name instead of UID.

Most steps change little, so what was shown last is shown again where the books behind it are the same.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from pinproof.history import Block, CpuState, Hinted, NodeState, Note, Observation, Resources
from pinproof.reference.books import Books
from pinproof.reference.cpu_manager import CpuBooks
from pinproof.reference.cpu_picker import listed
from pinproof.reference.masks import Mask, positions
from pinproof.reference.restart import Saved, text_of
from pinproof.reference.static_policy import Share

if TYPE_CHECKING:
    from pinproof.reference.configuration import Settings
    from pinproof.reference.files import Contents
    from pinproof.reference.node import Node
    from pinproof.reference.resident import Resident

ACTIVE_PODS_GATE = "KubeletPodResourcesListUseActivePods"
"""The gate with which PodResources lists as it did before 1.34."""


class View:
    """Observations of one node."""

    def __init__(self, *, listed: bool = True) -> None:
        """`listed=False` leaves out what PodResources lists."""
        self._listed = listed
        self._books: Books | None = None
        self._machine: dict[int, NodeState] = {}
        self._cpu_books: CpuBooks | None = None
        self._cpu = CpuState("", {})
        self._settings: Settings | None = None
        self._capacity: Books | None = None
        self._allocatable = Resources((), "")

    def observe(
        self,
        node: Node,
        settings: Settings,
        *,
        state_file: str | None,
        hints: tuple[Hinted, ...] | None,
        notes: tuple[Note, ...],
    ) -> Observation:
        """The observation of a node whose kubelet runs."""
        memory, residents = node.managers.memory, node.residents.items()
        ids = memory.books.ids
        seen = Observation(
            running=True,
            pods={name: resident.verdict for name, resident in residents},
            assignments={
                _name(node, uid): {container: _blocks(ids, shares) for container, shares in containers.items()}
                for uid, containers in memory.entries.items()
            },
            pod_assignments={_name(node, uid): _blocks(ids, shares) for uid, shares in memory.pods.items()},
            machine=self._machine_of(memory.books),
            policy=settings.policy,
            state_file=state_file,
            cpu=self._cpu_of(node, node.managers.cpu),
            told={n: dict(r.told) for n, r in residents if r.verdict.admitted and r.told},
            counters=dict(node.counters),
            pod_resources={n: _pod_resources(node, r) for n, r in residents if _is_listed(node, r)}
            if self._listed
            else None,
            allocatable=self._allocatable_of(node.static_allocatable, settings),
            hints=hints,
            notes=notes,
        )
        if not settings.memory_manager:  # what may be in the file is nobody's
            return replace(seen, assignments=None, pod_assignments=None, machine=None, policy=None)
        return seen

    def of_files(self, node: Node, files: Contents, notes: tuple[Note, ...]) -> Observation:
        """What a kubelet that was killed has left in its files; one that is not a kubelet's own is not looked into."""
        left = Observation(
            running=False, state_file=text_of(files.memory), cpu=self._cpu_of(node, files.cpus), notes=notes
        )
        if not isinstance(files.memory, Saved):
            return left
        content = files.memory.content()
        assignments = {
            _name(node, uid): {name: tuple(sorted(blocks or ())) for name, blocks in (held or {}).items()}
            for uid, held in (content.entries or {}).items()
        }
        machine = {
            node_id: NodeState(known.number_of_assignments, dict(known.memory or {}), tuple(known.cells or ()))
            for node_id, known in (content.machine or {}).items()
        }
        pods = {_name(node, uid): tuple(sorted(blocks or ())) for uid, blocks in (content.pod_entries or {}).items()}
        return replace(left, assignments=assignments, pod_assignments=pods, machine=machine)

    def _machine_of(self, books: Books) -> dict[int, NodeState]:
        """The books by node number; what a node shows is made anew only where its books changed."""
        if books is not self._books:
            before = self._books.nodes if self._books and self._books.ids == books.ids else (None,) * len(books.ids)
            self._machine = {
                node_id: self._machine[node_id]
                if now is then
                else NodeState(
                    number_of_assignments=now.number_of_assignments,
                    memory=dict(zip(books.types, now.tables, strict=True)),
                    cells=_ids(books.ids, now.group),
                )
                for node_id, now, then in zip(books.ids, books.nodes, before, strict=True)
            }
            self._books = books
        return self._machine

    def _cpu_of(self, node: Node, books: CpuBooks) -> CpuState:
        if books is not self._cpu_books:
            self._cpu = CpuState(
                default=listed(books.default),
                entries={
                    _name(node, uid): {c: listed(cpus) for c, cpus in held.items()}
                    for uid, held in books.entries.items()
                },
            )
            self._cpu_books = books
        return self._cpu

    def _allocatable_of(self, books: Books, settings: Settings) -> Resources:
        """Static capacity at the start of the process, entries of 0 bytes left out; nothing for policy None (7)."""
        if settings is not self._settings or books is not self._capacity:
            blocks = [
                Block((node_id,), memory_type, table.allocatable)
                for node_id, shelf in zip(books.ids, books.nodes, strict=True)
                for memory_type, table in zip(books.types, shelf.tables, strict=True)
                if table.allocatable
            ]
            cpus = listed(settings.cpus.topology.all & ~settings.cpus.reserved) if settings.cpus else ""
            self._settings, self._capacity = settings, books
            self._allocatable = Resources(memory=tuple(sorted(blocks)), cpus=cpus)
        return self._allocatable


def _name(node: Node, uid: str) -> str:
    """Name of the pod; the UID itself where a scenario's own state file names a pod that never was."""
    return node.names.get(uid, uid)


@lru_cache(maxsize=1024)
def _ids(ids: tuple[int, ...], mask: Mask) -> tuple[int, ...]:
    return tuple([ids[i] for i in positions(mask)])


@lru_cache(maxsize=1024)
def _blocks(ids: tuple[int, ...], shares: tuple[Share, ...]) -> tuple[Block, ...]:
    return tuple(sorted(Block(_ids(ids, share.mask), share.type, share.size) for share in shares))


def _is_listed(node: Node, resident: Resident) -> bool:
    """Since 1.34 only active pods, unless the gate is off; before, every pod that the kubelet knows (7)."""
    active_only = node.behaviour.pod_resources_lists_active_pods_only
    return resident.active or not (active_only and node.config.gate(ACTIVE_PODS_GATE, default=True))


def _pod_resources(node: Node, resident: Resident) -> dict[str, Resources]:
    """App containers, and sidecars since 1.30; one block as recorded, whatever its split over the nodes (7)."""
    pod, memory, cpu = resident.pod, node.managers.memory, node.managers.cpu
    asks = resident.asks
    hides = node.behaviour.lists_exclusive_resources_only and asks.managed
    sidecars = [c for c in pod.init_containers if c.restart_always and node.behaviour.pod_resources_lists_sidecars]
    return {
        c.name: Resources(
            memory=()
            if hides and not asks.memory[c.name]
            else _blocks(memory.books.ids, memory.shares(resident.uid, c.name) or ()),
            cpus="" if hides and not asks.cpus[c.name] else listed(cpu.of(resident.uid, c.name) or 0),
        )
        for c in (*sidecars, *pod.containers)
    }

"""What can be seen of a modelled node: its books in the terms of a history, by pod name instead of UID."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinproof.history import Block, CpuState, NodeState, Note, Observation, Resources
from pinproof.reference.cpu_picker import listed
from pinproof.reference.static_policy import MemoryState, Share

if TYPE_CHECKING:
    from pinproof.reference.configuration import Settings
    from pinproof.reference.node import Node, Resident

ACTIVE_PODS_GATE = "KubeletPodResourcesListUseActivePods"
"""The gate with which PodResources lists as it did before 1.34."""


def observe(node: Node, settings: Settings, notes: tuple[Note, ...]) -> Observation:
    """The observation of a node whose kubelet runs; without the text of the state file."""
    memory = node.managers.memory
    return Observation(
        running=True,
        pods={name: resident.verdict for name, resident in node.residents.items()},
        assignments={
            _name(node, uid): {container: _blocks(memory, shares) for container, shares in containers.items()}
            for uid, containers in memory.entries.items()
        },
        pod_assignments={_name(node, uid): _blocks(memory, shares) for uid, shares in memory.pods.items()},
        machine=_machine(memory),
        policy=settings.policy,
        cpu=_cpu_state(node),
        told={n: dict(r.told) for n, r in node.residents.items() if r.verdict.admitted and r.told},
        counters=dict(node.counters),
        pod_resources={n: _pod_resources(node, r) for n, r in node.residents.items() if _is_listed(node, r)},
        allocatable=_allocatable(node, settings),
        notes=notes,
    )


def _name(node: Node, uid: str) -> str:
    """Name of the pod; the UID itself where a scenario's own state file names a pod that never was."""
    return node.names.get(uid, uid)


def _blocks(memory: MemoryState, shares: tuple[Share, ...]) -> tuple[Block, ...]:
    return tuple(sorted(Block(memory.books.ids_of(share.mask), share.type, share.size) for share in shares))


def _machine(memory: MemoryState) -> dict[int, NodeState]:
    books = memory.books
    return {
        node_id: NodeState(
            number_of_assignments=node.number_of_assignments,
            memory=dict(zip(books.types, node.tables, strict=True)),
            cells=books.ids_of(node.group),
        )
        for node_id, node in zip(books.ids, books.nodes, strict=True)
    }


def _cpu_state(node: Node) -> CpuState:
    cpu = node.managers.cpu
    return CpuState(
        default=listed(cpu.default),
        entries={_name(node, uid): {c: listed(cpus) for c, cpus in held.items()} for uid, held in cpu.entries.items()},
    )


def _is_listed(node: Node, resident: Resident) -> bool:
    """Since 1.34 only active pods, unless the gate is off; before, every pod that the kubelet knows (7)."""
    active_only = node.behaviour.pod_resources_lists_active_pods_only
    return resident.active or not (active_only and node.config.gate(ACTIVE_PODS_GATE, default=True))


def _pod_resources(node: Node, resident: Resident) -> dict[str, Resources]:
    """App containers, and sidecars since 1.30; one block as recorded, whatever its split over the nodes (7)."""
    pod, memory, cpu = resident.pod, node.managers.memory, node.managers.cpu
    asks = node.asked(pod)
    hides = node.behaviour.lists_exclusive_resources_only and asks.managed
    sidecars = [c for c in pod.init_containers if c.restart_always and node.behaviour.pod_resources_lists_sidecars]
    return {
        c.name: Resources(
            memory=()
            if hides and not asks.memory[c.name]
            else _blocks(memory, memory.shares(resident.uid, c.name) or ()),
            cpus="" if hides and not asks.cpus[c.name] else listed(cpu.of(resident.uid, c.name) or 0),
        )
        for c in (*sidecars, *pod.containers)
    }


def _allocatable(node: Node, settings: Settings) -> Resources:
    """Static capacity at the start of the process, entries of 0 bytes left out; nothing for policy None (7)."""
    books = node.static_allocatable
    blocks = [
        Block((node_id,), memory_type, table.allocatable)
        for node_id, shelf in zip(books.ids, books.nodes, strict=True)
        for memory_type, table in zip(books.types, shelf.tables, strict=True)
        if table.allocatable
    ]
    cpus = listed(settings.cpus.topology.all & ~settings.cpus.reserved) if settings.cpus else ""
    return Resources(memory=tuple(sorted(blocks)), cpus=cpus)

"""Kubelet documents → `KubeletConfig`, alone or as changes to one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.document import KubeletDocument, ReservationDocument
from pinproof.scenario.machine import Machine
from pinproof.scenario.machines import Finding
from pinproof.scenario.quantity import Quantity

DEFAULT = KubeletConfig()


def config_of(document: KubeletDocument, base: KubeletConfig = DEFAULT) -> KubeletConfig:
    """`base` with the fields that the document has; a field that is null goes back to its default."""
    changes: dict[str, Any] = {}  # field of KubeletConfig → value of its type
    for field in document.model_fields_set:
        value = getattr(document, field)
        changes[field] = getattr(DEFAULT, field) if value is None else _value(field, value)
    return replace(base, **changes)


def _value(field: str, value: object) -> object:
    if field == "reserved_memory" and isinstance(value, list):
        return tuple(_reservation(entry) for entry in value)
    return tuple(value.items()) if isinstance(value, dict) else value


def _reservation(document: ReservationDocument) -> MemoryReservation:
    limits = tuple((kind, Quantity.parse(text)) for kind, text in document.limits.items())
    return MemoryReservation(numa_node=document.numa_node, limits=limits)


def check_reservations(config: KubeletConfig, machine: Machine) -> Iterator[Finding]:
    """Reservations that are larger than their node, which no machine can give.

    Everything that a kubelet itself refuses at start (a node that is not there, a wrong sum) is left to it.
    """
    memory = {node.id: node.memory for node in machine.nodes}
    for index, entry in enumerate(config.reserved_memory):
        room = memory.get(entry.numa_node)
        for kind, amount in entry.limits:
            if room is not None and amount.value() > room:
                yield (
                    ("reservedMemory", index, "limits", kind),
                    f"{amount} is more than node {entry.numa_node} has, {Quantity.of_bytes(room)}; reserve less",
                )

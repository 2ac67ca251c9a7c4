"""Sizes for a node that nobody has chosen: fractions of what is free on it, in whole MiB."""

from __future__ import annotations

from fractions import Fraction

from pinproof.running.seen import NotObservableError, Seen

MIB = 1 << 20


def nodes(seen: Seen) -> list[int]:
    """NUMA nodes that have memory for pods, ascending."""
    machine = seen.observation().machine or {}
    return [node for node, state in sorted(machine.items()) if state.memory["memory"].allocatable]


def eighth(seen: Seen) -> int:
    """Bytes: an eighth of the least that is free on a NUMA node of those seen."""
    return part(seen, Fraction(1, 8))


def part(seen: Seen, fraction: Fraction) -> int:
    """Bytes: so much of the least that is free on a NUMA node. Raises NotObservableError where a process could not run in it."""
    if not nodes(seen):
        raise NotObservableError("nobody counts the node's memory: the policy of its memory manager is not Static")
    size = int(min(seen.free(node) for node in nodes(seen)) * fraction) // MIB * MIB
    if size < 32 * MIB:
        raise NotObservableError(f"the node is full: {fraction} of what is free on a NUMA node is {size} bytes")
    return size

"""Memory of a guest's nodes: what its kernel keeps for itself is not in `MemTotal`, so backends are larger by that much.

How much it keeps is the same at every start of the same machine, and is found by starting it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from pinproof.scenario.machine import Machine
from pinproof.vm import board
from pinproof.vm.board import GIB, MIB, PAGE

_TOTAL: Final = re.compile(r"^Node (\d+) MemTotal:\s+(\d+) kB$", re.MULTILINE)
_KERNEL, _OTHERS, _BUFFER = 34 * MIB, 3 * MIB // 2, 65 * MIB
"""Bytes that a kernel keeps of node 0, of another node, and for the buffer; as measured, and only to begin with."""

_UNIT: Final = 2 * PAGE
"""QEMU rounds the sum of all nodes up to this."""


def path(node: int) -> str:
    """Where a kernel shows a node's memory."""
    return f"/sys/devices/system/node/node{node}/meminfo"


def total(text: str | None) -> int:
    """Bytes of `MemTotal` in a node's meminfo; 0 without a node."""
    found = _TOTAL.search(text or "")
    return int(found[2]) << 10 if found else 0


def totals(texts: Mapping[str, str | None]) -> dict[int, int]:
    """Node → bytes, from texts by their paths."""
    found = (_TOTAL.search(text or "") for text in texts.values())
    return {int(one[1]): int(one[2]) << 10 for one in found if one}


def first_guess(machine: Machine) -> tuple[int, ...]:
    """Sizes of backends with which to try: a sixty-fourth for the books of pages, on node 0 the kernel itself.

    A machine with memory above 4 GiB also has a buffer for devices that reach no further, at the end of what lies below.
    """
    kept = [_KERNEL if node.id == 0 else _OTHERS for node in machine.nodes]
    if machine.memory >= board.ALL_BELOW:
        kept[board.node_at(machine, board.BELOW - 1)] += _BUFFER
    return tuple(
        _whole((node.memory + much) * 64 // 63) if node.memory else 0
        for node, much in zip(machine.nodes, kept, strict=True)
    )


def better(machine: Machine, sizes: Sequence[int], seen: Mapping[int, int]) -> tuple[int, ...]:
    """Sizes that are nearer than those with which `seen` was seen."""
    return tuple(
        size + node.memory - seen.get(node.id, 0) if size else 0
        for node, size in zip(machine.nodes, sizes, strict=True)
    )


def differences(machine: Machine, seen: Mapping[int, int]) -> dict[int, int]:
    """Node → bytes that the kernel shows more than the machine has."""
    shown = {node.id: seen.get(node.id, 0) - node.memory for node in machine.nodes}
    return {node: difference for node, difference in shown.items() if difference}


def _whole(size: int) -> int:
    return -(-size // _UNIT) * _UNIT


def in_words(difference: int) -> str:
    """`+32412 KiB`."""
    return f"{difference // 1024:+} KiB" if abs(difference) < GIB else f"{difference / GIB:+.1f} GiB"

"""`memory_manager_state` to the byte: the JSON text, and the checksum over a textual dump of it (behaviour.md 4.1 to 4.3).

A `Checkpoint` is what the file says, so it can also hold what a kubelet would never write: null lists, unknown nodes. Where
order is Go's map order (a container's blocks) the file's own order is kept, and `encode(decode(text)) == text` for every
file a kubelet wrote.

Formats: V1 (up to 1.36), V2 (1.36 with pod-level resource managers): V1 with `podEntries`, which its checksum covers, and V3
from 1.37: V1 with the same data, and pod entries, repeated as JSON text under `data`, which is authoritative and has a
checksum of its own.

>>> hex(fnv1a32(b"a"))
'0xe40c292c'
>>> checksum(Checkpoint(policy="None"))
4236770233
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from pinproof.history import Block, Table


@dataclass(frozen=True, slots=True)
class CheckpointNode:
    """One node of `machineState`."""

    number_of_assignments: int = 0
    memory: Mapping[str, Table] | None = None
    cells: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The file as a value; None stands for JSON null or a missing key where Go tells that from empty."""

    policy: str = ""
    machine: Mapping[int, CheckpointNode] | None = field(default_factory=dict)
    entries: Mapping[str, Mapping[str, tuple[Block, ...] | None] | None] | None = field(default_factory=dict)
    checksum: int = 0
    data: str | None = None
    """V3: the authoritative text; None in a V1 file."""

    data_checksum: int = 0
    pod_entries: Mapping[str, tuple[Block, ...] | None] | None = field(default_factory=dict)
    """V2, and inside the data of V3: pod UID → blocks of the pod as a whole."""


class Corrupted(ValueError):
    """The text is not a state file. The message is the decoder's."""


class NullInside(Corrupted):
    """A node or a table is `null`. Its checksum is not of a file that a kubelet wrote; who does not verify it crashes."""

    def __init__(self, checksum: int) -> None:
        self.checksum = checksum
        super().__init__("checkpoint is corrupted")


# --- checksum -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def fnv1a32(data: bytes) -> int:
    """FNV-1a, 32 bit. Kept, because the same books are written after many steps and read back at every restart."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


TYPE_NAMES = ("MemoryManagerCheckpoint", "MemoryManagerCheckpointV1")
"""Names of the struct in the dump: the one that is written, and the other that 1.36 accepts as well."""


Version = Literal[1, 2, 3]


def checksum(checkpoint: Checkpoint, type_name: str = TYPE_NAMES[0], *, version: Version = 1) -> int:
    """The checksum that belongs to a checkpoint, whatever it carries; in V3 it is that of V1."""
    return fnv1a32(dump(checkpoint, type_name, version=version).encode())


def version_of(checkpoint: Checkpoint) -> Version:
    """The format in which a file that verifies was written; 1 for any that does not."""
    if checkpoint.data is not None:
        return 3
    return 2 if checkpoint.checksum == checksum(checkpoint, version=2) else 1


def data_checksum(data: str) -> int:
    """The checksum of V3's `data`."""
    return fnv1a32(f"(string){data}".encode())


def dump(checkpoint: Checkpoint, type_name: str = TYPE_NAMES[0], *, version: Version = 1) -> str:
    """The text that is hashed: Go's dump of the struct with its checksum set to 0 (4.3)."""
    machine = _dump_map(checkpoint.machine, _dump_node, sorted)
    entries = _dump_map(checkpoint.entries, lambda containers: _dump_map(containers, _dump_blocks))
    pods = f"PodEntries:(state.PodMemoryAssignments){_dump_map(checkpoint.pod_entries, _dump_pod)} " * (version == 2)
    return (
        f"(*state.{type_name}){{PolicyName:(string){checkpoint.policy} "
        f"MachineState:(state.NUMANodeMap){machine} "
        f"Entries:(state.ContainerMemoryAssignments){entries} {pods}Checksum:(checksum.Checksum)0}}"
    )


def _dump_pod(blocks: tuple[Block, ...] | None) -> str:
    return f"{{MemoryBlocks:([]state.Block){_dump_blocks(blocks)}}}"


def _in_byte_order(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=str.encode)


def _dump_map(items: Any, show: Callable[[Any], str], order: Callable[[Any], list[Any]] = _in_byte_order) -> str:
    if items is None:
        return "<nil>"
    return "map[" + " ".join(f"{key}:{show(items[key])}" for key in order(items)) + "]"


def _dump_ints(numbers: tuple[int, ...] | None) -> str:
    return "<nil>" if numbers is None else "[" + " ".join(map(str, numbers)) + "]"


def _dump_node(node: CheckpointNode) -> str:
    tables = _dump_map(node.memory, _dump_table)
    return (
        f"<*>{{NumberOfAssignments:(int){node.number_of_assignments} "
        f"MemoryMap:(map[v1.ResourceName]*state.MemoryTable){tables} Cells:([]int){_dump_ints(node.cells)}}}"
    )


def _dump_table(table: Table) -> str:
    return (
        f"<*>{{TotalMemSize:(uint64){table.total} SystemReserved:(uint64){table.system_reserved} "
        f"Allocatable:(uint64){table.allocatable} Reserved:(uint64){table.reserved} Free:(uint64){table.free}}}"
    )


def _dump_blocks(blocks: tuple[Block, ...] | None) -> str:
    if blocks is None:
        return "<nil>"
    shown = (
        f"{{NUMAAffinity:([]int){_dump_ints(b.affinity)} Type:(v1.ResourceName){b.type} Size:(uint64){b.size}}}"
        for b in blocks
    )
    return "[" + " ".join(shown) + "]"


# --- text -----------------------------------------------------------------------------------------------------------


def encode(checkpoint: Checkpoint) -> str:
    """The file's text: one line, no spaces, keys sorted as strings, `entries` left out when empty."""
    document = _document(checkpoint)
    if checkpoint.data is not None:
        document.pop("podEntries", None)
    document["checksum"] = checkpoint.checksum
    if checkpoint.data is not None:
        document["data"] = checkpoint.data
        document["dataChecksum"] = checkpoint.data_checksum
    return _json(document)


def sealed(
    policy: str,
    machine: Mapping[int, CheckpointNode],
    entries: Any,
    *,
    version: Version = 1,
    pod_entries: Mapping[str, tuple[Block, ...]] | None = None,
) -> Checkpoint:
    """A checkpoint with the checksums that belong to it in this format."""
    bare = Checkpoint(policy=policy, machine=machine, entries=entries, pod_entries=pod_entries or {})
    valid = replace(bare, checksum=checksum(bare, version=version))
    if version != 3:
        return valid
    data = _json(_document(bare))
    return replace(valid, data=data, data_checksum=data_checksum(data))


def _document(checkpoint: Checkpoint) -> dict[str, Any]:
    machine = checkpoint.machine
    document: dict[str, Any] = {
        "policyName": checkpoint.policy,
        "machineState": None
        if machine is None
        else {str(n): _node_document(machine[n]) for n in sorted(machine, key=str)},
    }
    if checkpoint.entries:
        document["entries"] = {
            uid: None
            if containers is None
            else {c: _block_documents(containers[c]) for c in _in_byte_order(containers)}
            for uid, containers in ((uid, checkpoint.entries[uid]) for uid in _in_byte_order(checkpoint.entries))
        }
    if checkpoint.pod_entries:
        pods = ((uid, checkpoint.pod_entries[uid]) for uid in _in_byte_order(checkpoint.pod_entries))
        document["podEntries"] = {uid: {"memoryBlocks": _block_documents(held)} if held else {} for uid, held in pods}
    return document


def _node_document(node: CheckpointNode) -> dict[str, Any]:
    memory = node.memory
    return {
        "numberOfAssignments": node.number_of_assignments,
        "memoryMap": None if memory is None else {t: _table_document(memory[t]) for t in _in_byte_order(memory)},
        "cells": None if node.cells is None else list(node.cells),
    }


def _table_document(table: Table) -> dict[str, int]:
    return {
        "total": table.total,
        "systemReserved": table.system_reserved,
        "allocatable": table.allocatable,
        "reserved": table.reserved,
        "free": table.free,
    }


def _block_documents(blocks: tuple[Block, ...] | None) -> list[dict[str, Any]] | None:
    if blocks is None:
        return None
    return [{"numaAffinity": list(b.affinity), "type": b.type, "size": b.size} for b in blocks]


def _json(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


# --- reading --------------------------------------------------------------------------------------------------------


def decode(text: str, struct: str = "MemoryManagerCheckpoint") -> Checkpoint:
    """Read a state file's outer fields; Corrupted where it is not JSON of the right shape. Checksums are not verified here.

    `struct` is the name of the Go type that the text is read into, for Go's words about a wrong shape.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise Corrupted(_go_json_error(text, error)) from None
    if document is None:
        document = {}  # null leaves a Go value as it is
    if fault := _wrong_shape(document, struct):
        raise Corrupted(fault)
    try:
        return _from_document(document)
    except NullInside:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Corrupted(f"json: cannot unmarshal the state file: {error}") from None


_GO_KINDS: Mapping[type, str] = MappingProxyType(
    {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
)
_GO_TYPES: Mapping[str, tuple[type, str]] = MappingProxyType(
    {
        "policyName": (str, "string"),
        "machineState": (dict, "state.NUMANodeMap"),
        "entries": (dict, "state.ContainerMemoryAssignments"),
    }
)
"""Field → the JSON it is made of, and the Go type that it is read into."""


def _wrong_shape(document: Any, struct: str) -> str:
    """What Go says of the first thing that is of another kind than it should be; nothing where all fits."""
    if not isinstance(document, dict):
        return f"json: cannot unmarshal {_GO_KINDS[type(document)]} into Go value of type state.{struct}"
    for key, value in document.items():
        if key in _GO_TYPES and value is not None and not isinstance(value, _GO_TYPES[key][0]):
            of_type = f"into Go struct field {struct}.{key} of type {_GO_TYPES[key][1]}"
            return f"json: cannot unmarshal {_GO_KINDS[type(value)]} {of_type}"
    return ""


def decode_data(checkpoint: Checkpoint) -> Checkpoint:
    """The authoritative content of a V3 file, read from its `data`."""
    return decode(checkpoint.data or "")


def _from_document(document: Any) -> Checkpoint:
    machine = document.get("machineState", {})
    if any(node is None or None in (node.get("memoryMap") or {}).values() for node in (machine or {}).values()):
        raise NullInside(document.get("checksum", 0))
    entries = document.get("entries", {})
    pods = document.get("podEntries", {})
    return Checkpoint(
        policy=document.get("policyName", ""),
        machine=None if machine is None else {int(n): _read_node(node) for n, node in machine.items()},
        entries=None
        if entries is None
        else {
            uid: None if containers is None else {c: _read_blocks(blocks) for c, blocks in containers.items()}
            for uid, containers in entries.items()
        },
        checksum=document.get("checksum", 0),
        data=document.get("data"),
        data_checksum=document.get("dataChecksum", 0),
        pod_entries=None if pods is None else {uid: _read_blocks(pod.get("memoryBlocks")) for uid, pod in pods.items()},
    )


def _read_node(node: Any) -> CheckpointNode:
    memory, cells = node.get("memoryMap"), node.get("cells")
    return CheckpointNode(
        number_of_assignments=node.get("numberOfAssignments", 0),
        memory=None if memory is None else {t: _read_table(table) for t, table in memory.items()},
        cells=None if cells is None else tuple(cells),
    )


def _read_table(table: Any) -> Table:
    names = ("total", "systemReserved", "allocatable", "reserved", "free")
    return Table(*(int(table.get(name, 0)) for name in names))


def _read_blocks(blocks: Any) -> tuple[Block, ...] | None:
    if blocks is None:
        return None
    return tuple(Block(tuple(b.get("numaAffinity") or ()), b.get("type", ""), b.get("size", 0)) for b in blocks)


_GO_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "Expecting value": "looking for beginning of value",
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Extra data": "after top-level value",
    }
)


def _go_json_error(text: str, error: json.JSONDecodeError) -> str:
    """Go's words for the commonest faults: a file that ends early, or a character that has no business there."""
    if not text.strip() or error.pos >= len(text.rstrip()) or "Unterminated" in error.msg:
        return "unexpected end of JSON input"
    if error.msg == "Expecting value" and (fault := _broken_literal(text[error.pos :])):
        return fault
    where = _GO_WORDS.get(error.msg) or _after_an_element(text[: error.pos])
    found = text[error.pos]
    shown = {"'": "\\'", "\n": "\\n", "\t": "\\t"}.get(found, found)
    return f"invalid character '{shown}' {where}"


def _broken_literal(text: str) -> str:
    """What Go says of a word that begins like `null`, `true` or `false`; nothing for other text."""
    for literal in ("null", "true", "false"):
        for position in range(1, len(literal)):
            if text[0] == literal[0] and text[position : position + 1] != literal[position]:
                if position == len(text):
                    return "unexpected end of JSON input"
                return f"invalid character '{text[position]}' in literal {literal} (expecting '{literal[position]}')"
    return ""


def _after_an_element(text: str) -> str:
    """Go's words for a missing comma, which depend on what is open at the end of the text."""
    still_open: list[str] = []
    for bracket in re.findall(r"[{}\[\]]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
        if bracket in "{[":
            still_open.append(bracket)
        elif still_open:
            still_open.pop()
    return "after object key:value pair" if still_open[-1:] == ["{"] else "after array element"

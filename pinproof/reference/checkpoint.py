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
from pinproof.reference.go_json import syntax_error


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

    def __init__(self, rest: Checkpoint) -> None:
        self.rest = rest
        """The file without its books: checksums, and the data of V3, which counts instead of them."""

        super().__init__("checkpoint is corrupted")


class WrongType(Corrupted):
    """JSON, but a value is of another type than its place."""

    def __init__(self, kind: str, of_type: str, path: str = "", inner: str = "", *, has_data: bool = False) -> None:
        self._kind = kind
        self._of_type = of_type
        self._path = path
        """Of the field, such as `machineState.cells`; empty where the document itself is something else."""

        self._inner = inner
        """The Go type whose field it is; empty for the outermost."""

        self.has_data = has_data
        """The document has the fields of format 3."""

        super().__init__(self.within())

    def within(self, struct: str = "MemoryManagerCheckpoint", prefix: str = "") -> str:
        """Go's words where the file is read into this type, or with a prefix into a type embedded in it."""
        if not self._path:
            return f"json: cannot unmarshal {self._kind} into Go value of type state.{struct}"
        field_ = f"{self._inner or struct}.{prefix}{self._path}"
        return f"json: cannot unmarshal {self._kind} into Go struct field {field_} of type {self._of_type}"


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


def decode(text: str) -> Checkpoint:
    """Read a state file's outer fields. Checksums are not verified here.

    Raises:
        Corrupted: it is not JSON, or has nulls where a kubelet writes none.
        WrongType: it is JSON of another shape.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise Corrupted(syntax_error(text) or str(error)) from None
    if document is None:
        document = {}  # null leaves a Go value as it is
    _check_shape(document)
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

_NUMBER = re.compile(r"[+-]?[0-9]+")
"""Keys that Go reads as numbers."""


def _check_shape(document: Any) -> None:
    """Raise WrongType for the first value that is of another kind than its place."""
    if not isinstance(document, dict):
        raise WrongType(_GO_KINDS[type(document)], "")
    has_data = bool(_field(document, "data", "") or _field(document, "dataChecksum", 0))
    for key, value in document.items():
        if key in _GO_TYPES and value is not None and not isinstance(value, _GO_TYPES[key][0]):
            raise WrongType(_GO_KINDS[type(value)], _GO_TYPES[key][1], key, has_data=has_data)
    for number, node in (_field(document, "machineState", {}) or {}).items():
        if not _NUMBER.fullmatch(number):
            raise WrongType(f"number {number}", "int", "machineState", has_data=has_data)
        _check_numbers(node, "cells", "machineState.cells", "NUMANodeState", has_data=has_data)
    for containers in (_field(document, "entries", {}) or {}).values():
        for blocks in (containers or {}).values():
            for block in blocks if isinstance(blocks, list) else ():
                _check_numbers(block, "numaAffinity", "entries.numaAffinity", "Block", has_data=has_data)


def _check_numbers(document: Any, name: str, path: str, inner: str, *, has_data: bool) -> None:
    """A list of whole numbers."""
    for number in (_field(document, name, ()) if isinstance(document, dict) else ()) or ():
        if isinstance(number, float):
            raise WrongType(f"number {number}", "int", path, inner, has_data=has_data)


def decode_data(checkpoint: Checkpoint) -> Checkpoint:
    """The authoritative content of a V3 file, read from its `data`."""
    return decode(checkpoint.data or "")


def _from_document(document: Any) -> Checkpoint:
    machine = _field(document, "machineState", {})
    if any(
        node is None or None in (_field(node, "memoryMap", None) or {}).values() for node in (machine or {}).values()
    ):
        sums = {"checksum": _field(document, "checksum", 0), "data_checksum": _field(document, "dataChecksum", 0)}
        raise NullInside(Checkpoint(data=_field(document, "data", None), **sums))
    entries = _field(document, "entries", {})
    pods = _field(document, "podEntries", {})
    return Checkpoint(
        policy=_field(document, "policyName", ""),
        machine=None if machine is None else {int(n): _read_node(node) for n, node in machine.items()},
        entries=None
        if entries is None
        else {
            uid: None if containers is None else {c: _read_blocks(blocks) for c, blocks in containers.items()}
            for uid, containers in entries.items()
        },
        checksum=_field(document, "checksum", 0),
        data=_field(document, "data", None),
        data_checksum=_field(document, "dataChecksum", 0),
        pod_entries=None
        if pods is None
        else {uid: _read_blocks(_field(pod, "memoryBlocks", None)) for uid, pod in pods.items()},
    )


def _read_node(node: Any) -> CheckpointNode:
    memory, cells = _field(node, "memoryMap", None), _field(node, "cells", None)
    return CheckpointNode(
        number_of_assignments=_field(node, "numberOfAssignments", 0),
        memory=None if memory is None else {t: _read_table(table) for t, table in memory.items()},
        cells=None if cells is None else tuple(cells),
    )


def _read_table(table: Any) -> Table:
    names = ("total", "systemReserved", "allocatable", "reserved", "free")
    return Table(*(int(_field(table, name, 0)) for name in names))


def _read_blocks(blocks: Any) -> tuple[Block, ...] | None:
    if blocks is None:
        return None
    return tuple(
        Block(tuple(_field(b, "numaAffinity", None) or ()), _field(b, "type", ""), _field(b, "size", 0)) for b in blocks
    )


def _field(document: Mapping[str, Any], name: str, default: Any) -> Any:
    """A field of a Go struct, which is found in any case of its letters."""
    if name in document:
        return document[name]
    return next((value for key, value in document.items() if key.lower() == name.lower()), default)

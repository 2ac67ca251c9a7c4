"""Reads the shape of a machine from `lstopo --of xml` (hwloc 2 or newer)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from pinproof.errors import InputError, Problem
from pinproof.importer import Imported, Notes, threads_per_core
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode

_LATENCY = 4
"""Bit of a distance matrix's kind: its values are latencies."""


def import_lstopo(file: Path, *, name: str) -> Imported:
    """The machine in an XML file of lstopo; raises InputError where it is not one."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(str(file), Problem("", f"cannot be read: {error.strerror or error}")) from None
    return parse_lstopo(data, source=str(file), name=name)


def parse_lstopo(data: bytes, *, source: str, name: str) -> Imported:
    """The machine in an XML text of lstopo; raises InputError where it is not one."""
    try:
        root = _parse(data)
        return _Topology(root, name).machine()
    except expat.ExpatError as error:
        raise InputError(source, Problem(f"line {error.lineno}", f"this is not XML: {error}")) from None
    except ValueError as error:
        remedy = "write it with lstopo --of xml of hwloc 2 or newer"
        raise InputError(source, Problem("", f"{error}; {remedy}")) from None


@dataclass(slots=True)
class _Element:
    tag: str
    attributes: dict[str, str]
    children: list[_Element] = field(default_factory=list)
    text: str = ""

    def walk(self) -> Iterator[_Element]:
        """This element and all below it."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))

    def objects(self, kind: str) -> Iterator[_Element]:
        """Objects of a type, this one included."""
        return (e for e in self.walk() if e.tag == "object" and e.attributes.get("type") == kind)

    def number(self, attribute: str) -> int | None:
        """An attribute that is a whole number."""
        text = self.attributes.get(attribute, "")
        return int(text) if text.isdecimal() else None


def _parse(data: bytes) -> _Element:
    """The tree of an XML text. Entities are refused: hwloc writes none, and they are how XML is made to explode."""
    top = _Element("", {})
    stack = [top]

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = _Element(tag, attributes)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_tag: str) -> None:
        stack.pop()

    def characters(text: str) -> None:
        stack[-1].text += text

    def entity(*_declaration: object) -> None:
        raise ValueError("the XML declares entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = entity
    parser.Parse(data, True)
    return top.children[0]


class _Topology:
    def __init__(self, root: _Element, name: str) -> None:
        if root.tag != "topology" or not root.attributes.get("version", "").split(".")[0].isdecimal():
            raise ValueError("this is not a topology of hwloc 2")
        self.root, self.name = root, name
        self.notes = Notes()
        self.numa = sorted(
            (
                (number, element)
                for element in root.objects("NUMANode")
                if (number := element.number("os_index")) is not None
            ),
            key=lambda pair: pair[0],
        )
        if not self.numa:
            raise ValueError("the topology has no NUMA nodes")

    def machine(self) -> Imported:
        owners = self._owners()
        distances = self._distances()
        sockets = {
            cpu: number
            for package in self.root.objects("Package")
            if (number := package.number("os_index")) is not None
            for cpu in _cpus(package)
        }
        nodes = []
        for number, element in self.numa:
            cpus = CpuSet(cpu for cpu, owner in owners.items() if owner == number)
            nodes.append(
                NumaNode(
                    id=number,
                    memory=(element.number("local_memory") or 0) // 1024 * 1024,
                    cpus=cpus,
                    hugepages=_pools(element),
                    distances=distances.get(number),
                    socket=self._socket(number, {sockets[cpu] for cpu in cpus if cpu in sockets}),
                )
            )
        cores = frozenset(tuple(sorted(_cpus(core))) for core in self.root.objects("Core"))
        machine = Machine(
            name=self.name,
            nodes=tuple(nodes),
            threads_per_core=threads_per_core(cores, [len(node.cpus) for node in nodes], self.notes),
            provenance=f"Imported from lstopo{self._product()}.",
        )
        return Imported(machine, self.notes.all())

    def _owners(self) -> dict[int, int]:
        """CPU → node. hwloc gives a memory-only node the CPUs next to it, so the smallest set and lowest number win."""
        present = {number for unit in self.root.objects("PU") if (number := unit.number("os_index")) is not None}
        owners: dict[int, int] = {}
        for number, element in sorted(self.numa, key=lambda pair: (len(_cpus(pair[1])), pair[0])):
            for cpu in _cpus(element) & (present or _cpus(element)):
                owners.setdefault(cpu, number)
        return owners

    def _socket(self, node: int, sockets: set[int]) -> int | None:
        if len(sockets) > 1:
            chosen = min(sockets)
            self.notes.add(
                f"Node {node} spans the sockets {sorted(sockets)}; in pinproof a node is in one, here {chosen}."
            )
        return min(sockets) if sockets else None

    def _distances(self) -> dict[int, tuple[int, ...]]:
        for matrix in self.root.walk():
            kind = matrix.number("kind") or 0
            if matrix.tag != "distances2" or matrix.attributes.get("type") != "NUMANode" or not kind & _LATENCY:
                continue
            indexes, values = _numbers(matrix, "indexes"), _numbers(matrix, "u64values")
            if matrix.attributes.get("indexing") == "gp":
                names = {element.number("gp_index"): number for number, element in self.numa}
                indexes = [names[index] for index in indexes if index in names]
            size = len(indexes)
            rows = {node: tuple(values[row * size : (row + 1) * size]) for row, node in enumerate(indexes)}
            if sorted(indexes) == [number for number, _ in self.numa] == indexes and len(values) == size * size:
                return rows
            self.notes.add("The distances do not cover the NUMA nodes one by one; the file has none.")
        return {}

    def _product(self) -> str:
        infos = {e.attributes.get("name"): e.attributes.get("value", "") for e in self.root.walk() if e.tag == "info"}
        about = [infos[key] for key in ("DMIProductName", "CPUModel") if infos.get(key)]
        return f" of a {', '.join(about)}" if about else ""


def _cpus(element: _Element) -> CpuSet:
    """CPUs of an object, from hwloc's list of 32-bit words, the highest first; a word of zeros may be left empty."""
    text = element.attributes.get("cpuset", "")
    if "..." in text:
        raise ValueError(f"the set of CPUs {text} has no end")
    bits = 0
    for word in text.split(","):
        bits = bits << 32 | int(word or "0", 16)
    return CpuSet(number for number in range(bits.bit_length()) if bits >> number & 1)


def _pools(element: _Element) -> tuple[tuple[int, int], ...]:
    """Pools of huge pages: every page size but the smallest, which is the kernel's ordinary page."""
    pages = {size: e.number("count") or 0 for e in element.children if (size := e.number("size")) is not None}
    return tuple(sorted(pages.items()))[1:]


def _numbers(matrix: _Element, tag: str) -> list[int]:
    return [int(word) for child in matrix.children if child.tag == tag for word in child.text.split()]

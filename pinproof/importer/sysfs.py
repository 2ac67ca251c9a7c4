"""Reads the shape of a machine from `/sys`, live or copied (`cp -rL /sys/devices/system/{node,cpu}` is enough)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from pinproof.errors import InputError, Problem
from pinproof.importer import Imported, Notes, threads_per_core
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode

_NUMBERED = re.compile(r"[a-z]+([0-9]+)")
_MEM_TOTAL = re.compile(r"MemTotal:\s*([0-9]+) kB")
_POOL = re.compile(r"hugepages-([0-9]+)kB")


def import_sysfs(root: Path, *, name: str) -> Imported:
    """The machine under a `/sys` directory; raises InputError where there is none."""
    system = root / "devices" / "system"
    if not (system / "cpu").is_dir():
        raise InputError(str(root), Problem("devices/system/cpu", "is not there; give a directory like /sys"))
    return _Sysfs(root, name).machine()


class _Sysfs:
    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name
        self.cpu_directory = root / "devices" / "system" / "cpu"
        self.node_directory = root / "devices" / "system" / "node"
        self.notes = Notes()
        self.online = self._cpus()

    def machine(self) -> Imported:
        directories = [self.node_directory / f"node{node}" for node in self._node_ids()]
        nodes = [self._node(directory) for directory in directories] or self._sockets()
        if all(node.socket in {None, node.id} for node in nodes) and directories:
            nodes = [replace(node, socket=None) for node in nodes]
        sizes = [len(node.cpus) for node in nodes]
        machine = Machine(
            name=self.name,
            nodes=tuple(nodes),
            threads_per_core=threads_per_core(self._cores(), sizes, self.notes),
            numa=bool(directories),
            provenance=f"Imported from {'a live machine' if self.root == Path('/sys') else 'a copy of /sys'}.",
        )
        return Imported(machine, self.notes.all())

    def _node_ids(self) -> list[int]:
        """Nodes that have a directory and, where the kernel says so, are online."""
        there = {
            int(match[1]) for path in self.node_directory.glob("node*") if (match := _NUMBERED.fullmatch(path.name))
        }
        online = _text(self.node_directory / "online")
        return sorted(there & _cpu_list(online, self.node_directory / "online") if online else there)

    def _node(self, directory: Path) -> NumaNode:
        number = int(directory.name.removeprefix("node"))
        total = _MEM_TOTAL.search(_text(directory / "meminfo"))
        if total is None:
            self.notes.add(f"Node {number} shows no MemTotal; the file says 0.")
        cpus = CpuSet(_cpu_list(_text(directory / "cpulist"), directory / "cpulist") & self.online)
        return NumaNode(
            id=number,
            memory=int(total[1]) * 1024 if total else 0,
            cpus=cpus,
            hugepages=self._pools(directory / "hugepages"),
            distances=_distances(directory / "distance", len(self._node_ids())),
            socket=self._socket(number, cpus),
        )

    def _pools(self, directory: Path) -> tuple[tuple[int, int], ...]:
        pools = {
            int(match[1]) * 1024: _number(path / "nr_hugepages")
            for path in directory.glob("hugepages-*kB")
            if (match := _POOL.fullmatch(path.name))
        }
        return tuple(sorted((size, pages or 0) for size, pages in pools.items()))

    def _socket(self, node: int, cpus: CpuSet) -> int | None:
        sockets = sorted({socket for cpu in cpus if (socket := self._package(cpu)) is not None})
        if len(sockets) > 1:
            self.notes.add(f"Node {node} spans the sockets {sockets}; in pinproof a node is in one, here {sockets[0]}.")
        return sockets[0] if sockets else None

    def _package(self, cpu: int) -> int | None:
        number = _number(self.cpu_directory / f"cpu{cpu}" / "topology" / "physical_package_id")
        return None if number is None or number < 0 else number

    def _sockets(self) -> list[NumaNode]:
        """A kernel without NUMA: its sockets, with equal shares of the memory, since it does not say more."""
        groups: dict[int, list[int]] = {}
        for cpu in self.online:
            groups.setdefault(self._package(cpu) or 0, []).append(cpu)
        proc = Path("/proc") if self.root == Path("/sys") else self.root.parent / "proc"
        total = _MEM_TOTAL.search(_text(proc / "meminfo"))
        if total is None:
            raise InputError(str(proc / "meminfo"), Problem("", "shows no MemTotal, and there are no node directories"))
        share = int(total[1]) // max(len(groups), 1) * 1024
        self.notes.add("The kernel shows no NUMA nodes; the file gives every socket an equal share of the memory.")
        return [NumaNode(id=s, memory=share, cpus=CpuSet(cpus), socket=s) for s, cpus in sorted(groups.items())]

    def _cores(self) -> frozenset[tuple[int, ...]]:
        """CPU numbers of each core."""
        cores = set()
        for cpu in self.online:
            file = self.cpu_directory / f"cpu{cpu}" / "topology" / "thread_siblings_list"
            siblings = CpuSet(_cpu_list(_text(file), file) & self.online)
            cores.add(tuple(sorted(siblings or {cpu})))
        return frozenset(cores)

    def _cpus(self) -> CpuSet:
        """CPUs that are online; all that have a directory where the kernel does not say."""
        online = _text(self.cpu_directory / "online")
        if online:
            return _cpu_list(online, self.cpu_directory / "online")
        numbers = (_NUMBERED.fullmatch(path.name) for path in self.cpu_directory.glob("cpu*"))
        return CpuSet(int(match[1]) for match in numbers if match)


def _text(file: Path) -> str:
    """A file of the tree; empty where it is not there, as for the kernel's many optional files."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(file: Path) -> int | None:
    text = _text(file)
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else None


def _cpu_list(text: str, file: Path) -> CpuSet:
    try:
        return CpuSet.parse(text)
    except ValueError:
        raise InputError(str(file), Problem("", f"{text!r} is not a list such as 0-3,8")) from None


def _distances(file: Path, nodes: int) -> tuple[int, ...] | None:
    text = _text(file)
    if not text:
        return None
    row = text.split()
    if len(row) != nodes or not all(number.isdecimal() for number in row):
        raise InputError(str(file), Problem("", f"{text!r} is not one distance for each of {nodes} nodes"))
    return tuple(int(number) for number in row)

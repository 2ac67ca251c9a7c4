"""What QEMU and the guest's kernel are told of a machine of a scenario. Pure.

QEMU numbers its nodes and CPUs from 0 without a gap, and all sockets have the same CPUs; other machines cannot be had here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.subjects.protocol import NotObservableError

PAGE = 4096
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
LARGEST = 48 * GIB
"""Bytes of a guest's memory: what is not touched costs this machine a sixty-fourth, for the kernel's books of pages."""

SMALLEST = 64 * MIB
MOST_CPUS = 64
BELOW, ALL_BELOW = 2 * GIB, 0xB0000000
"""Bytes: so much of a q35 machine's memory lies below 4 GiB, if it is not less than the second in all; then all of it does."""

_SIZES = {2 * MIB: "2048kB", GIB: "1048576kB"}
"""Huge pages of the architecture: bytes → as the kernel writes them."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """CPUs as QEMU builds them."""

    sockets: int
    cores: int
    threads: int

    def place(self, cpu: int) -> tuple[int, int, int]:
        """Socket, core in it and thread in that, of a CPU."""
        core, thread = divmod(cpu, self.threads)
        return (*divmod(core, self.cores), thread)


def check(machine: Machine) -> None:
    """Raises NotObservableError where no machine of ours can be like it."""
    sockets(machine)
    ids = [node.id for node in machine.nodes]
    for wrong, why in (
        (not machine.numa, "a kernel without NUMA"),
        (machine.os != "linux", f"a machine with {machine.os}"),
        (ids != list(range(len(ids))), f"NUMA nodes {CpuSet(ids)}: QEMU numbers them from 0 without a gap"),
        (any(node.distances is None for node in machine.nodes), "a kernel that shows no distances"),
        (any(node.memory % PAGE for node in machine.nodes), "a node's memory that is no multiple of a page"),
        (any(0 < node.memory < SMALLEST for node in machine.nodes), f"a node of less than {SMALLEST // MIB}Mi"),
        (not machine.nodes[0].memory or not machine.nodes[0].cpus, "a node 0 without memory or CPUs"),
        (machine.memory > LARGEST, f"a machine of {machine.memory / GIB:.0f}Gi, of at most {LARGEST // GIB}Gi"),
        (len(machine.cpus) > MOST_CPUS, f"{len(machine.cpus)} CPUs, of at most {MOST_CPUS}"),
        (any(size not in _SIZES for size in machine.hugepages), "sizes of huge pages that the architecture has not"),
    ):
        if wrong:
            raise NotObservableError(f"a virtual machine cannot have {why}")


def sockets(machine: Machine) -> Sockets:
    """How the CPUs of a machine are built. Raises NotObservableError where QEMU builds none so."""
    of: dict[int, int] = {}
    for node in machine.nodes:
        of.update(dict.fromkeys(node.cpus, machine.socket_of(node)))
    number, threads = len(set(of.values())), machine.threads_per_core
    size, rest = divmod(len(of), number)
    regular = sorted(of) == list(range(len(of))) and not rest and not size % threads
    if not regular or any(socket != sorted(set(of.values()))[cpu // size] for cpu, socket in of.items()):
        raise NotObservableError("a virtual machine cannot have sockets with other CPUs than the next ones, or more")
    return Sockets(number, size // threads, threads)


def page_sizes(machine: Machine) -> list[str]:
    """The sizes of huge pages that a machine offers, as sysfs writes them."""
    return [_SIZES[size] for size in sorted(machine.hugepages)]


def node_at(machine: Machine, offset: int) -> int:
    """Which node has the byte with this number, counted from the first of the machine's memory."""
    for node in machine.nodes:
        offset -= node.memory
        if offset < 0:
            return node.id
    return machine.nodes[-1].id


def padded(sizes: Sequence[int]) -> tuple[tuple[int, ...], list[str]]:
    """Sizes whose sum is an even number of pages, as QEMU wants it; and what the kernel is told of a page too many.

    It is one of the last node: not the last, where the firmware may have its tables.
    """
    if not sum(sizes) % (2 * PAGE):
        return tuple(sizes), []
    last = max(number for number, size in enumerate(sizes) if size)
    larger = tuple(size + PAGE * (number == last) for number, size in enumerate(sizes))
    end = sum(larger)
    if end >= ALL_BELOW:
        end += 4 * GIB - BELOW
    return larger, [f"memmap={PAGE // KIB}K${end - 16 * MIB:#x}"]


def arguments(machine: Machine, sizes: Sequence[int], backends: Sequence[str]) -> list[str]:
    """QEMU's arguments for memory and CPUs; `sizes` are each node's bytes, `backends` what its memory is made of."""
    built = sockets(machine)
    smp = f"{len(machine.cpus)},sockets={built.sockets},cores={built.cores},threads={built.threads}"
    made = ["-m", f"{sum(sizes) // KIB}K", "-smp", smp]
    for node, size, backend in zip(machine.nodes, sizes, backends, strict=True):
        memory = f",memdev=m{node.id}" if size else ""
        if size:
            made += ["-object", f"{backend},id=m{node.id},size={size // KIB}K"]
        made += ["-numa", f"node,nodeid={node.id}{memory}"]
    for node in machine.nodes:
        for cpu in sorted(node.cpus):
            socket, core, thread = built.place(cpu)
            made += ["-numa", f"cpu,node-id={node.id},socket-id={socket},core-id={core},thread-id={thread}"]
    return [*made, *_distances(machine)]


def _distances(machine: Machine) -> Iterator[str]:
    for node in machine.nodes:
        for other, distance in zip(machine.nodes, node.distances or (), strict=True):
            if other.id != node.id:
                yield from ("-numa", f"dist,src={node.id},dst={other.id},val={distance}")


def kernel_words(machine: Machine) -> list[str]:
    """What the kernel is told of the machine's huge pages."""
    words = []
    for size, name in _SIZES.items():
        pools = {node.id: dict(node.hugepages).get(size, 0) for node in machine.nodes}
        if any(pools.values()):
            each = ",".join(f"{node}:{pages}" for node, pages in pools.items() if pages)
            words += [f"hugepagesz={name.removesuffix('kB')}K", f"hugepages={each}"]
    return words

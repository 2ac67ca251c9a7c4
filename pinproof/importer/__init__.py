"""Real machines → topology files: from a live `/sys` or a copy of it, and from the XML of hwloc's `lstopo`."""

from __future__ import annotations

from dataclasses import dataclass

from pinproof.scenario.machine import Machine


@dataclass(frozen=True, slots=True)
class Imported:
    """A machine as a topology file can say it, and what the file cannot say."""

    machine: Machine
    notes: tuple[str, ...] = ()
    """Where the file differs from the machine, one sentence each."""


class Notes:
    """Collects sentences, each once."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def add(self, sentence: str) -> None:
        """Note a difference between machine and file."""
        self._found[sentence] = None

    def all(self) -> tuple[str, ...]:
        """All notes in the order they came."""
        return tuple(self._found)


def threads_per_core(cores: frozenset[tuple[int, ...]], node_sizes: list[int], notes: Notes) -> int:
    """Hardware threads of a core, 1 where the file cannot say it; `cores` holds the CPU numbers of each core."""
    sizes = {len(core) for core in cores}
    if not sizes or sizes == {1}:
        return 1
    threads = max(sizes)
    if len(sizes) > 1 or any(size % threads for size in node_sizes):
        notes.add("Cores have different numbers of hardware threads; the file says one thread a core.")
        return 1
    if any(core != tuple(range(core[0], core[0] + threads)) for core in cores):
        notes.add("Hardware threads of a core have adjacent CPU numbers in pinproof; on this machine they do not.")
    return threads

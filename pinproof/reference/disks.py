"""Disks that fail under the state files, and what is in the files then.

A write that fails is logged and forgotten: the kubelet goes on with what it has in memory, and the file stays behind until
the next write that succeeds. A start that has to make the file, or cannot read it, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pinproof.reference.cpu_file import CpuFile
from pinproof.reference.cpu_manager import CpuBooks
from pinproof.reference.restart import Saved
from pinproof.reference.static_policy import MemoryState
from pinproof.scenario.faults import Disk, StateFile

MEMORY: StateFile = "memory_manager_state"
CPUS: StateFile = "cpu_manager_state"
NAMELESS = "/var/lib/kubelet/.TEMP"
"""A file before it has its name; the kubelet draws a random one."""

ERRORS = {"full": "no space left on device", "read-only": "read-only file system"}


@dataclass(frozen=True, slots=True)
class Behind:
    """A memory manager's file that is not what it would be."""

    content: str | Saved | None
    since: MemoryState | None = None
    """The state when the disk worked again; None while it fails."""

    def holds(self, now: MemoryState) -> bool:
        """Whether nothing has been written since."""
        then = self.since
        return then is None or (then.books is now.books and then.entries is now.entries and then.pods is now.pods)


@dataclass(frozen=True, slots=True)
class CpusBehind:
    """A CPU manager's file that is not what it would be."""

    file: CpuFile | None
    books: CpuBooks
    since: CpuBooks | None = None

    def holds(self, now: CpuBooks) -> bool:
        """Whether nothing has been written since."""
        then = self.since
        return then is None or (then.default is now.default and then.entries is now.entries and then.pods is now.pods)


@dataclass(slots=True)
class Disks:
    """The disks under both files."""

    states: dict[StateFile, str] = field(default_factory=dict)
    memory: Behind | None = None
    cpus: CpusBehind | None = None

    def fails(self, file: StateFile) -> bool:
        """Whether a write of the file fails."""
        return self.states.get(file) in ERRORS

    def complaint(self, file: StateFile, *, exists: bool) -> str:
        """What a start meets that reads the file, or makes it; empty where it can."""
        state, path = self.states.get(file, "works"), f"/var/lib/kubelet/{file}"
        if state == "unreadable":
            return f"open {path}: permission denied"
        if state in ERRORS and not exists:
            return f"rename {NAMELESS} {path}: {ERRORS[state]}"
        return ""

    def change(
        self,
        step: Disk,
        memory: str | Saved | None,
        state: MemoryState,
        cpus: tuple[CpuFile | None, CpuBooks],
        books: CpuBooks,
    ) -> None:
        """The step happens: what is in the files now, each followed by what their manager has in memory."""
        for file in (step.file,) if step.file else (MEMORY, CPUS):
            failed = self.fails(file)
            self.states[file] = step.state
            if self.fails(file) == failed:
                continue
            if file == MEMORY:
                self.memory = Behind(memory, state if failed else None)
            else:
                self.cpus = CpusBehind(*cpus, books if failed else None)

    def fork(self) -> Disks:
        """Disks that go on from here by themselves."""
        return replace(self, states=dict(self.states))

    def kubelet_starts(self, memory: str | Saved | None, file: CpuFile | None, books: CpuBooks) -> None:
        """What is in the files when a kubelet starts stays in those that cannot be written."""
        self.memory = Behind(memory) if self.fails(MEMORY) else None
        self.cpus = CpusBehind(file, books) if self.fails(CPUS) else None

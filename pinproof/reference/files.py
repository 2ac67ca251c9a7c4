"""The two state files of a node while kubelets come and go (behaviour.md 4.2 to 4.8).

A manager reads its file when the kubelet starts. It writes it when its state changes, and not before. A file whose disk
fails stays behind, and one that a start has refused stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Self

from pinproof.errors import InputError, Problem
from pinproof.history import Observation
from pinproof.reference import checkpoint, cpu_file, cpu_text, restart
from pinproof.reference.admission import Managers
from pinproof.reference.behaviour import Behaviour
from pinproof.reference.books import Books
from pinproof.reference.checkpoint import Checkpoint
from pinproof.reference.configuration import Choose, Settings
from pinproof.reference.cpu_file import CpuFile
from pinproof.reference.cpu_manager import CpuBooks
from pinproof.reference.decisions import Reach
from pinproof.reference.disks import CPUS, MEMORY, Disks
from pinproof.reference.journal import Journal
from pinproof.reference.outcomes import StartRefused
from pinproof.reference.restart import Saved
from pinproof.reference.static_policy import MemoryState
from pinproof.scenario.faults import Disk
from pinproof.scenario.steps import Restart, StateEdit, StateText


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in the files."""

    memory: str | Saved | None = None
    """The memory manager's: a text that no kubelet wrote, or what one did; None for no file."""

    cpu: CpuFile | None = None
    """Policy and format of the CPU manager's."""

    cpus: CpuBooks = field(default_factory=CpuBooks)
    """The books in it."""


@dataclass(frozen=True, slots=True)
class Start:
    """A kubelet that starts, as far as files matter."""

    settings: Settings
    cpu_policy: str
    behaviour: Behaviour
    choose: Choose
    journal: Journal
    reach: Reach
    tell: Callable[[str, str], None]

    def memory_file(self, state: MemoryState) -> Saved:
        """What its memory manager writes."""
        gate = self.settings.pod_level_managers
        return Saved(self.settings.policy, state, restart.version_written(self.behaviour, pod_level_managers=gate))

    def cpu_file(self) -> CpuFile:
        """What its CPU manager writes."""
        gate = self.settings.pod_level_managers
        return cpu_file.written_by(self.cpu_policy, self.behaviour, pod_level_managers=gate)


class StateFiles:
    """Both files of one node."""

    def __init__(self) -> None:
        self.contents = Contents()
        """As of the last stop of a kubelet, or as the last start has found them."""

        self.disks = Disks()
        self._kubelet: Start | None = None
        """The kubelet that read them last."""

        self._read = Managers(MemoryState(books=restart.NO_BOOKS), CpuBooks())
        """What it made of them."""

        self._as_read: str | Saved | None = None
        """The memory manager's file for as long as nothing changed it."""

        self._refused: tuple[str | Saved | None, Books, str] | None = None
        """The file that the last start refused, on which machine, and with which words."""

    def fork(self) -> Self:
        """Files that go on from here by themselves."""
        twin = copy(self)
        twin.disks = self.disks.fork()
        return twin

    # --- a start

    def read(self, kubelet: Start) -> Managers:
        """What a kubelet that starts makes of the files; StartRefused. The CPU manager comes first, and so does its refusal."""
        self._kubelet = kubelet
        self.disks.kubelet_starts(self.contents.memory, self.contents.cpu, self.contents.cpus)
        cpu = self._read_cpus(kubelet)
        self._read = Managers(self._read_memory(kubelet), cpu)
        return self._read

    def _read_cpus(self, kubelet: Start) -> CpuBooks:
        if fault := self.disks.complaint(CPUS, exists=self.contents.cpu is not None):
            raise cpu_file.unusable(fault)
        ours, settings = kubelet.cpu_file(), kubelet.settings
        if self.contents.cpu is None:
            kubelet.journal.writes_cpus(CpuBooks())
            self.contents = replace(self.contents, cpu=ours)
        found, gate = self.contents.cpu or ours, settings.pod_level_managers
        cpu = cpu_file.read(found, ours, self.contents.cpus, kubelet.behaviour, pod_level_managers=gate)
        if settings.cpus is None:
            return cpu
        restored = settings.cpus.restored(cpu)
        if not cpu.default:
            kubelet.journal.writes_cpus(restored)
        return restored

    def _read_memory(self, kubelet: Start) -> MemoryState:
        settings, disk, reach = kubelet.settings, self.contents.memory, kubelet.reach
        if not settings.memory_manager:
            return MemoryState(books=settings.empty)
        if settings.policy != "None" and settings.empty.is_overdrawn:
            reach("start.overdrawn")
        if fault := self.disks.complaint(MEMORY, exists=disk is not None):
            raise restart.unusable(fault)
        gate = settings.pod_level_managers
        loaded = restart.load(disk, settings.policy, kubelet.behaviour, pod_level_managers=gate, reach=reach)
        self._as_read = disk if loaded and (loaded.machine or settings.policy == "None") else None
        fresh = MemoryState(books=settings.empty)
        if loaded is None:
            kubelet.journal.writes_memory(MemoryState(books=restart.NO_BOOKS))
            if settings.policy != "None":
                kubelet.journal.writes_memory(fresh)
            return fresh
        if settings.policy == "None":  # what the file says is kept, and nobody looks at it
            return restart.adopt(loaded, restart.books_of(loaded))
        verdict = kubelet.choose(self._chances(loaded, settings.empty, kubelet))
        self._refused = (disk, settings.empty, verdict) if verdict else None
        kubelet.tell("validate", verdict or "the state file agrees with the machine")
        if verdict:
            raise StartRefused(verdict)
        if not loaded.machine:
            kubelet.journal.writes_memory(fresh)
        return restart.adopt(loaded, settings.empty)

    def _chances(self, loaded: Checkpoint, empty: Books, kubelet: Start) -> Mapping[str, float]:
        """What a start may say of a file; a container's blocks are in an order that stays, and so does what is wrong first."""
        if self._refused and self._refused[0] is self.contents.memory and restart.of_one_container(loaded):
            _, machine, verdict = self._refused
            if machine == empty:
                return {verdict: 1.0}
        return restart.chances(loaded, empty, kubelet.behaviour, kubelet.reach)

    # --- while it runs

    def memory(self, state: MemoryState) -> str | Saved | None:
        """The memory manager's file of a kubelet that runs, whose state this is; without such a manager, whatever was there."""
        if self._kubelet is None or not self._kubelet.settings.memory_manager:
            return self.contents.memory
        was, behind = self._read.memory, self.disks.memory
        if behind and behind.holds(state):
            return behind.content
        unchanged = was.books is state.books and was.entries is state.entries and was.pods is state.pods
        if self._as_read is not None and unchanged:
            return self._as_read
        return self._kubelet.memory_file(state)

    def now(self, managers: Managers) -> Contents:
        """What is in both files while a kubelet runs."""
        was, cpu, behind = self._read.cpu, managers.cpu, self.disks.cpus
        memory = self.memory(managers.memory)
        if behind and behind.holds(cpu):
            return Contents(memory, behind.file, behind.books)
        if was.default is cpu.default and was.entries is cpu.entries and was.pods is cpu.pods:
            return Contents(memory, self.contents.cpu, cpu)
        return Contents(memory, self._kubelet.cpu_file() if self._kubelet else None, cpu)

    def shown(self, seen: Observation, managers: Managers) -> Observation:
        """The observation without what a file does not show, because it is behind."""
        if (behind := self.disks.memory) and behind.holds(managers.memory):
            seen = replace(seen, assignments=None, pod_assignments=None, machine=None)
        if (cpus_behind := self.disks.cpus) and cpus_behind.holds(managers.cpu):
            seen = replace(seen, cpu=None)
        return seen

    def change_disk(self, step: Disk, managers: Managers | None) -> None:
        """A disk fails, or works again; `managers` of a kubelet that runs."""
        found = self.now(managers) if managers else self.contents
        now = managers or self._read
        self.disks.change(step, found.memory, now.memory, (found.cpu, found.cpus), now.cpu)

    # --- between two kubelets

    def stop(self, managers: Managers) -> None:
        """The kubelet ends."""
        self.contents = self.now(managers)

    def kill(self, before: Contents, journal: Journal) -> None:
        """The kubelet was killed in the middle of a step that found the files like this: what it wrote last is in them."""
        self.contents = before
        if self._kubelet and journal.memory is not None and not self.disks.fails(MEMORY):
            self.contents = replace(self.contents, memory=self._kubelet.memory_file(journal.memory))
        if self._kubelet and journal.cpus is not None and not self.disks.fails(CPUS):
            self.contents = replace(self.contents, cpu=self._kubelet.cpu_file(), cpus=journal.cpus)

    def change(self, step: Restart) -> None:
        """What the scenario does to the files before the next start."""
        if step.state == "lose":
            self.contents = replace(self.contents, memory=None)
        elif isinstance(step.state, StateText):
            self.contents = replace(self.contents, memory=step.state.text)
        elif isinstance(step.state, StateEdit):
            text = restart.text_of(self.contents.memory)
            self.contents = replace(self.contents, memory=edited(text, step.state))
        if step.cpu_state == "lose":
            self.contents = replace(self.contents, cpu=None, cpus=CpuBooks())
        elif isinstance(step.cpu_state, StateText):
            file, books = cpu_text.decode(step.cpu_state.text)
            self.contents = replace(self.contents, cpu=file, cpus=books)


def edited(text: str, edit: StateEdit) -> str:
    """A state file with one piece replaced; InputError where the piece is not in it."""
    if edit.find not in text:
        raise InputError("scenario", Problem("restart.state", f"{edit.find!r} does not occur in the state file"))
    before, text = text, text.replace(edit.find, edit.replace)
    if edit.checksum == "keep":
        return text
    version, found = checkpoint.version_of(checkpoint.decode(before)), checkpoint.decode(text)
    return checkpoint.encode(replace(found, checksum=checkpoint.checksum(found, version=version)))

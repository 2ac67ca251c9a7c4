"""What a step does outside the kubelet's memory, in order: writes of the two state files and calls to the runtime.

Needed where a step is interrupted, because what is on disk then is no state that the kubelet ever meant to have. Rules, seen
on kubelets and components of all releases:

* Memory manager, allocation: the machine state, then the container's blocks, then each init container whose blocks shrink.
* Memory manager, release: the container's blocks, then the machine state; container by container, pods in Go's map order.
* CPU manager, allocation: the default set, then the container's CPUs. Release: the container's CPUs, then the default set.
* For each container the CPU manager allocates first.
* A pod that is managed as a whole: its blocks, those of its containers, then the machine state; given back in the order
  containers, machine state, blocks of the pod. CPUs: the default set, the pod's, those of its containers; given back likewise.
* A start without a file writes one without content, then one with the empty machine, where the policy is Static.
* A container is created, then init containers before it lose their memory, then it is started.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from pinproof.reference.cpu_manager import CpuBooks, CpuEntries
from pinproof.reference.decisions import Reach
from pinproof.reference.release import release
from pinproof.reference.requests import Asked
from pinproof.reference.static_policy import MemoryState, shrinking
from pinproof.scenario.faults import AtWrite, Method, Point, StateFile

Active = Mapping[str, tuple[str, ...]]
Choose = Callable[[tuple[str, ...]], str]


class KubeletDies(Exception):
    """The step has come to the point at which the kubelet is killed."""


class CallHangs(Exception):
    """The kubelet waits for its container runtime, in vain."""


class Journal:
    """Follows one step to the point at which the kubelet is killed, if there is one; keeps what was written last."""

    def __init__(self, at: Point | None = None, hanging: frozenset[Method] = frozenset()) -> None:
        self._at = at
        self._hanging = hanging
        self._seen: Counter[str] = Counter()
        self.memory: MemoryState | None = None
        """What the memory manager wrote last; None for nothing."""

        self.cpus: CpuBooks | None = None
        """What the CPU manager wrote last; None for nothing."""

    def writes_memory(self, state: MemoryState) -> None:
        """The memory manager writes its file."""
        self._begins("memory_manager_state")
        self.memory = state
        self.ends("memory_manager_state")

    def writes_cpus(self, books: CpuBooks) -> None:
        """The CPU manager writes its file."""
        self._begins("cpu_manager_state")
        self.cpus = books
        self.ends("cpu_manager_state")

    def calls(self, method: Method) -> None:
        """The kubelet calls the runtime, which has not done anything yet; CallHangs, KubeletDies."""
        if method in self._hanging:
            raise CallHangs
        self._begins(method)

    def ends(self, event: Method | StateFile) -> None:
        """The call or write is done; KubeletDies."""
        if self._is_point(event) and self._at and self._at.moment == "after":
            raise KubeletDies

    def _begins(self, event: Method | StateFile) -> None:
        self._seen[event] += 1
        if self._is_point(event) and self._at and self._at.moment != "after":
            raise KubeletDies

    def _is_point(self, event: Method | StateFile) -> bool:
        if self._at is None:
            return False
        awaited = self._at.file if isinstance(self._at, AtWrite) else self._at.method
        return event == awaited and self._seen[event] == self._at.number

    # --- what managers write

    def allocates_memory(self, before: MemoryState, after: MemoryState, uid: str, asks: Asked, container: str) -> None:
        """The memory manager has given a container its blocks; nothing is written where it had them already."""
        if after.entries is before.entries:
            return
        self.writes_memory(replace(before, books=after.books))
        shares = after.entries[uid][container]
        entries = {**before.entries, uid: {**before.entries.get(uid, {}), container: shares}}
        self.writes_memory(replace(before, books=after.books, entries=entries))
        for shrunk in shrinking(entries, uid, asks, container, shares):
            self.writes_memory(replace(before, books=after.books, entries=shrunk))

    def allocates_cpus(self, before: CpuBooks, after: CpuBooks) -> None:
        """The CPU manager has given a container its CPUs; nothing is written where it had them already."""
        if after.entries is not before.entries:
            self.writes_cpus(replace(before, default=after.default))
            self.writes_cpus(after)

    def allocates_pod_memory(self, before: MemoryState, after: MemoryState, uid: str) -> None:
        """The memory manager has given a pod its blocks as a whole, and its containers parts of them."""
        state = replace(before, pods=after.pods)
        self.writes_memory(state)
        for name in after.entries[uid]:
            held = {**state.entries.get(uid, {}), name: after.entries[uid][name]}
            state = replace(state, entries={**state.entries, uid: held})
            self.writes_memory(state)
        self.writes_memory(after)

    def allocates_pod_cpus(self, before: CpuBooks, after: CpuBooks, uid: str) -> None:
        """The same of the CPU manager."""
        if after.pods is before.pods:
            return
        books = replace(before, default=after.default)
        self.writes_cpus(books)
        books = replace(books, pods=after.pods)
        self.writes_cpus(books)
        for name in after.entries.get(uid, {}):
            held = {**books.entries.get(uid, {}), name: after.entries[uid][name]}
            books = replace(books, entries={**books.entries, uid: held})
            self.writes_cpus(books)

    def releases_memory(self, state: MemoryState, uid: str, container: str, reach: Reach) -> MemoryState:
        """The memory manager takes a container's blocks back, or with the last one those of its pod."""
        after = release(state, uid, container, reach)
        if after is state:
            return state
        self.writes_memory(replace(after, books=state.books, pods=state.pods))
        if after.books is not state.books or uid not in state.pods:
            self.writes_memory(replace(after, pods=state.pods))
        if after.pods is not state.pods:
            self.writes_memory(after)
        return after

    def container_started(self, state: MemoryState, uid: str, asks: Asked, container: str, reach: Reach) -> MemoryState:
        """Regular init containers before a container that starts are over (`release.container_started`)."""
        for init in asks.init_before[container]:
            state = self.releases_memory(state, uid, init, reach)
        return state

    def removes_stale_memory(self, state: MemoryState, active: Active, choose: Choose, reach: Reach) -> MemoryState:
        """Lazy clean-up, in one of the orders in which Go may walk its maps."""
        for uid, container in _in_map_order(_stale(state.entries, active), choose):
            state = self.releases_memory(state, uid, container, reach)
        return state

    def removes_stale_cpus(self, books: CpuBooks, active: Active, choose: Choose) -> CpuBooks:
        """Lazy clean-up of the CPU manager, in the same way. CPUs that a container shares with its pod's others stay theirs."""
        for uid, container in _in_map_order(_stale(books.entries, active), choose):
            books = self._releases_cpus(books, uid, container)
        return books

    def _releases_cpus(self, books: CpuBooks, uid: str, container: str) -> CpuBooks:
        freed, entries = books.entries[uid][container], _without(books.entries, uid, container)
        self.writes_cpus(replace(books, entries=entries))
        if uid not in books.pods:
            for others in entries.get(uid, {}).values():
                freed &= ~others
            books = replace(books, entries=entries, default=books.default | freed)
            self.writes_cpus(books)
        elif uid in entries:
            books = replace(books, entries=entries)
        else:
            books = replace(books, entries=entries, default=books.default | books.pods[uid])
            self.writes_cpus(books)
            books = replace(books, pods={pod: cpus for pod, cpus in books.pods.items() if pod != uid})
            self.writes_cpus(books)
        return books


class Quiet(Journal):
    """For steps that are not interrupted: nobody asks what was written, and it costs nothing."""

    def allocates_memory(self, before: MemoryState, after: MemoryState, uid: str, asks: Asked, container: str) -> None:
        """Not kept."""

    def allocates_cpus(self, before: CpuBooks, after: CpuBooks) -> None:
        """Not kept."""

    def allocates_pod_memory(self, before: MemoryState, after: MemoryState, uid: str) -> None:
        """Not kept."""

    def allocates_pod_cpus(self, before: CpuBooks, after: CpuBooks, uid: str) -> None:
        """Not kept."""

    def writes_memory(self, state: MemoryState) -> None:
        """Not kept."""

    def writes_cpus(self, books: CpuBooks) -> None:
        """Not kept."""

    def calls(self, method: Method) -> None:
        """No call hangs."""

    def ends(self, event: Method | StateFile) -> None:
        """Nobody dies."""


QUIET = Quiet()


def _stale(entries: Mapping[str, Mapping[str, object]], active: Active) -> dict[str, list[str]]:
    gone = {uid: [name for name in held if name not in active.get(uid, ())] for uid, held in entries.items()}
    return {uid: names for uid, names in gone.items() if names}


def _in_map_order(gone: dict[str, list[str]], choose: Choose) -> Iterator[tuple[str, str]]:
    """Pods in any order, the containers of each in any order."""
    while gone:
        uid = choose(tuple(gone))
        names = gone.pop(uid)
        while names:
            name = choose(tuple(f"{uid}/{name}" for name in names)).removeprefix(f"{uid}/")
            names.remove(name)
            yield uid, name


def _without(entries: CpuEntries, uid: str, container: str) -> CpuEntries:
    left = {name: cpus for name, cpus in entries[uid].items() if name != container}
    others = {pod: held for pod, held in entries.items() if pod != uid}
    return {**others, uid: left} if left else others

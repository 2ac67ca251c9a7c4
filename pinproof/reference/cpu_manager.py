"""The CPU manager's static policy with default options, as the second hint provider (behaviour.md 5, KEP-3570).

Scope: hints and assignments of exclusive CPUs, because they decide merges and so where memory goes; the books it restores
at a start. Not here: policy options, the reconcile loop, quota.

How hints are made is knowledge of upstream's algorithm, checked against real kubelets, not a document (docs/adr/0001).

Rules:

* Exclusive CPUs go to containers of Guaranteed pods that ask for a whole number of CPUs; all others share the default set.
* A hint is a set of nodes with enough free CPUs; preferred when no smaller set has that many CPUs at all.
* CPUs of regular init containers are reused by the later containers of the same pod, and stay in the record until the pod
  is gone; reserved CPUs stay in the default set and are never given out.
* A container that has CPUs of another number than it asks for gets the answer "impossible", not "no preference".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pinproof.reference.cpu_picker import CpuTopology, pick
from pinproof.reference.masks import Hint, Mask, by_size, positions, sums
from pinproof.reference.outcomes import AllocationFailed, StartRefused
from pinproof.reference.requests import Asked
from pinproof.reference.static_policy import NO_PREFERENCE, Hints
from pinproof.scenario.cpuset import CpuSet

CpuEntries = Mapping[str, Mapping[str, CpuSet]]
"""Pod UID → container → exclusive CPUs."""


@dataclass(frozen=True, slots=True)
class CpuBooks:
    """What the CPU manager knows. `default` and `entries` are in its state file; `reusable` is lost at a restart."""

    default: CpuSet = CpuSet()
    entries: CpuEntries = field(default_factory=dict)
    reusable: tuple[str, CpuSet] = ("", CpuSet())
    """Only one pod is tracked at a time: its UID, and the CPUs of its init containers."""

    pods: Mapping[str, CpuSet] = field(default_factory=dict)
    """Pod UID → CPUs of the pod as a whole; its containers' are parts of them (`cpu_pod.py`)."""

    def of(self, uid: str, container: str) -> CpuSet | None:
        """A container's exclusive CPUs."""
        return self.entries.get(uid, {}).get(container)

    def reusable_of(self, uid: str) -> CpuSet:
        """CPUs that the containers of a pod may reuse."""
        return self.reusable[1] if self.reusable[0] == uid else CpuSet()


@dataclass(frozen=True, slots=True)
class CpuManager:
    """The static policy on one machine."""

    topology: CpuTopology
    node_ids: tuple[int, ...]
    """NUMA node numbers of the machine by position, nodes without CPUs included."""

    reserved: CpuSet

    # --- hints

    def container_hints(self, books: CpuBooks, uid: str, asks: Asked, container: str) -> Hints:
        """Proposals for one container, scope `container`."""
        wanted = asks.cpus[container]
        if not wanted:
            return NO_PREFERENCE
        held = books.of(uid, container)
        if held is None:
            return {"cpu": self._hints(self._available(books), books.reusable_of(uid), wanted)}
        return {"cpu": self._hints(held, CpuSet(), wanted) if len(held) == wanted else ()}

    def pod_hints(self, books: CpuBooks, uid: str, asks: Asked) -> Hints:
        """Proposals for a whole pod, scope `pod`."""
        if not asks.pod_cpus:
            return NO_PREFERENCE
        assigned = CpuSet()
        for container in asks.names:
            held = books.of(uid, container)
            if held is not None:
                if len(held) != asks.cpus[container]:
                    return {"cpu": ()}
                assigned |= held
        if len(assigned) == asks.pod_cpus:
            return {"cpu": self._hints(assigned, CpuSet(), asks.pod_cpus)}
        return {"cpu": self._hints(self._available(books), books.reusable_of(uid) | assigned, asks.pod_cpus)}

    def _hints(self, available: CpuSet, reusable: CpuSet, wanted: int) -> tuple[Hint, ...]:
        """Masks of nodes with enough CPUs; a mask has to contain every CPU that can be reused."""
        masks = by_size(len(self.node_ids))
        all_on, free_on = sums(self._per_node(self.topology.all)), sums(self._per_node(available))
        must, with_cpus = self.nodes_of(reusable), self.nodes_of(self.topology.all)
        smallest = with_cpus.bit_count()
        serving: list[Mask] = []
        for mask in masks:
            if mask & ~with_cpus:
                continue
            if all_on[mask] >= wanted:
                smallest = min(smallest, mask.bit_count())
            if mask & must == must and free_on[mask] + len(reusable) >= wanted:
                serving.append(mask)
        return tuple(Hint(mask, mask.bit_count() == smallest) for mask in serving)

    def nodes_of(self, cpus: CpuSet) -> Mask:
        """The nodes that have any of these CPUs."""
        return sum(1 << i for i, count in enumerate(self._per_node(cpus)) if count)

    def _per_node(self, cpus: CpuSet) -> list[int]:
        counts = dict.fromkeys(self.node_ids, 0)
        for cpu in cpus:
            counts[self.topology.node_of[cpu]] += 1
        return list(counts.values())

    def _available(self, books: CpuBooks) -> CpuSet:
        return books.default - self.reserved

    # --- allocation and release

    def allocate(self, books: CpuBooks, uid: str, asks: Asked, container: str, hint: Hint) -> CpuBooks:
        """Give a container its CPUs: first those on the nodes of the merged hint, then any others."""
        wanted = asks.cpus[container]
        if not wanted:
            return books
        held = books.of(uid, container)
        if held is not None:
            return _note_reusable(books, uid, asks, container, held)
        chosen = self.take(books, wanted, hint, books.reusable_of(uid))
        entries = {**books.entries, uid: {**books.entries.get(uid, {}), container: chosen}}
        books = replace(books, default=books.default - chosen, entries=entries)
        return _note_reusable(books, uid, asks, container, chosen)

    def take(self, books: CpuBooks, wanted: int, hint: Hint, reusable: CpuSet) -> CpuSet:
        """Free or reusable CPUs, first those on the nodes of a hint; AllocationFailed where there are too few."""
        available = self._available(books) | reusable
        aligned = CpuSet()
        if hint.mask is not None:
            nodes = {self.node_ids[i] for i in positions(hint.mask)}
            near = CpuSet(cpu for cpu in available if self.topology.node_of[cpu] in nodes)
            aligned = self.pick(near, min(wanted, len(near)))
        return aligned | self.pick(available - aligned, wanted - len(aligned))

    def pick(self, available: CpuSet, wanted: int) -> CpuSet:
        """So many of these CPUs, in the order of the topology; AllocationFailed where there are too few."""
        chosen = pick(self.topology, available, wanted)
        if chosen is None:
            raise AllocationFailed(
                f"not enough cpus available to satisfy request: requested={wanted}, available={len(available)}"
            )
        return chosen

    def remove_stale(self, books: CpuBooks, active: Mapping[str, tuple[str, ...]]) -> CpuBooks:
        """Lazy clean-up at an admission: CPUs of pods that are no longer active return to the default set."""
        gone = [uid for uid in books.entries if uid not in active]
        if not gone:
            return books
        freed = books.default
        for uid in gone:
            of_pod = books.pods.get(uid)
            for cpus in books.entries[uid].values() if of_pod is None else (of_pod,):
                freed |= cpus
        kept = {uid: containers for uid, containers in books.entries.items() if uid not in gone}
        pods = {uid: cpus for uid, cpus in books.pods.items() if uid not in gone}
        return replace(books, default=freed, entries=kept, pods=pods)

    # --- start

    def restored(self, books: CpuBooks) -> CpuBooks:
        """Check the books of a state file against today's machine; StartRefused where they contradict it."""
        if not books.default:
            if books.entries:
                raise StartRefused("default cpuset cannot be empty")
            return CpuBooks(default=self.topology.all)
        if not self.reserved <= books.default:
            raise StartRefused(
                f'not all reserved cpus: "{self.reserved}" are present in defaultCpuSet: "{books.default}"'
            )
        known = CpuSet(books.default)
        for uid, containers in books.entries.items():
            for container, cpus in containers.items():
                if cpus & books.default:
                    raise StartRefused(
                        f'pod: {uid}, container: {container} cpuset: "{cpus}" overlaps with default cpuset "{books.default}"'
                    )
                known |= cpus
        for cpus in books.pods.values():
            known |= cpus
        if known != self.topology.all:
            raise StartRefused(
                f'current set of available CPUs "{self.topology.all}" doesn\'t match with CPUs in state "{known}"'
            )
        return replace(books, reusable=("", CpuSet()))


def _note_reusable(books: CpuBooks, uid: str, asks: Asked, container: str, cpus: CpuSet) -> CpuBooks:
    """A regular init container leaves its CPUs to later ones; any other container uses them up."""
    old = books.reusable_of(uid)
    return replace(books, reusable=(uid, old | cpus if container in asks.regular_init else old - cpus))

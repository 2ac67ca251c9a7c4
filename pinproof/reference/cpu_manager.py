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
from dataclasses import dataclass, field

from pinproof.reference.cpu_picker import Cpus, CpuTopology, listed, pick
from pinproof.reference.decisions import Reach, ignore
from pinproof.reference.hints import NO_PREFERENCE, NOTHING_FITS, Hint, Hints, Proposals
from pinproof.reference.masks import Mask, around, enough, inside, least_size, of_size, positions
from pinproof.reference.outcomes import AllocationFailed, StartRefused
from pinproof.reference.requests import Asked

CpuEntries = Mapping[str, Mapping[str, Cpus]]
"""Pod UID → container → exclusive CPUs."""


@dataclass(frozen=True, slots=True)
class CpuBooks:
    """What the CPU manager knows. `default` and `entries` are in its state file; `reusable` is lost at a restart."""

    default: Cpus = 0
    entries: CpuEntries = field(default_factory=dict)
    reusable: tuple[str, Cpus] = ("", 0)
    """Only one pod is tracked at a time: its UID, and the CPUs of its init containers."""

    pods: Mapping[str, Cpus] = field(default_factory=dict)
    """Pod UID → CPUs of the pod as a whole; its containers' are parts of them (`cpu_pod.py`)."""

    def of(self, uid: str, container: str) -> Cpus | None:
        """A container's exclusive CPUs."""
        return self.entries.get(uid, {}).get(container)

    def reusable_of(self, uid: str) -> Cpus:
        """CPUs that the containers of a pod may reuse."""
        return self.reusable[1] if self.reusable[0] == uid else 0


@dataclass(frozen=True, slots=True)
class CpuManager:
    """The static policy on one machine."""

    topology: CpuTopology
    reserved: Cpus

    # --- hints

    def container_hints(self, books: CpuBooks, uid: str, asks: Asked, container: str, reach: Reach = ignore) -> Hints:
        """Proposals for one container, scope `container`."""
        wanted = asks.cpus[container]
        if not wanted:
            return NO_PREFERENCE
        held = books.of(uid, container)
        if held is None:
            return {"cpu": self._hints(self._available(books), books.reusable_of(uid), wanted, reach)}
        if held.bit_count() != wanted:
            reach("cpus.held-another-number")
            return {"cpu": NOTHING_FITS}
        return {"cpu": self._hints(held, 0, wanted, reach)}

    def pod_hints(self, books: CpuBooks, uid: str, asks: Asked, reach: Reach = ignore) -> Hints:
        """Proposals for a whole pod, scope `pod`."""
        if not asks.pod_cpus:
            return NO_PREFERENCE
        assigned = 0
        for container in asks.names:
            held = books.of(uid, container)
            if held is not None:
                if held.bit_count() != asks.cpus[container]:
                    reach("cpus.held-another-number")
                    return {"cpu": NOTHING_FITS}
                assigned |= held
        if assigned.bit_count() == asks.pod_cpus:
            return {"cpu": self._hints(assigned, 0, asks.pod_cpus, reach)}
        reusable = books.reusable_of(uid) | assigned
        return {"cpu": self._hints(self._available(books), reusable, asks.pod_cpus, reach)}

    def _hints(self, available: Cpus, reusable: Cpus, wanted: int, reach: Reach) -> Proposals:
        """Masks of nodes with enough CPUs; a mask has to contain every CPU that can be reused."""
        nodes = len(self.topology.nodes)
        must, with_cpus = self.nodes_of(reusable), self.nodes_of(self.topology.all)
        capable = inside(with_cpus) & enough(self._per_node(self.topology.all), wanted)
        smallest = least_size(capable, nodes) or with_cpus.bit_count()
        serving = inside(with_cpus) & around(must, nodes)
        serving &= enough(self._per_node(available), wanted - reusable.bit_count())
        preferred = serving & of_size(nodes, smallest)
        if must:
            reach("cpus.reusable-binds")
        reach("cpus.preferred" if preferred else "cpus.none-preferred" if serving else "cpus.impossible")
        return Proposals(serving, preferred)

    def nodes_of(self, cpus: Cpus) -> Mask:
        """The nodes that have any of these CPUs."""
        return sum(1 << i for i, node in enumerate(self.topology.nodes) if cpus & node)

    def _per_node(self, cpus: Cpus) -> tuple[int, ...]:
        return tuple([(cpus & node).bit_count() for node in self.topology.nodes])

    def _available(self, books: CpuBooks) -> Cpus:
        return books.default & ~self.reserved

    # --- allocation and release

    def allocate(
        self, books: CpuBooks, uid: str, asks: Asked, container: str, hint: Hint, reach: Reach = ignore
    ) -> CpuBooks:
        """Give a container its CPUs: first those on the nodes of the merged hint, then any others."""
        wanted = asks.cpus[container]
        if not wanted:
            return books
        held = books.of(uid, container)
        if held is not None:
            reach("cpus.has-its-cpus")
            return _note_reusable(books, uid, asks, container, held)
        chosen = self.take(books, wanted, hint, books.reusable_of(uid), reach)
        entries = {**books.entries, uid: {**books.entries.get(uid, {}), container: chosen}}
        books = CpuBooks(books.default & ~chosen, entries, books.reusable, books.pods)
        return _note_reusable(books, uid, asks, container, chosen)

    def take(self, books: CpuBooks, wanted: int, hint: Hint, reusable: Cpus, reach: Reach = ignore) -> Cpus:
        """Free or reusable CPUs, first those on the nodes of a hint; AllocationFailed where there are too few."""
        available = self._available(books) | reusable
        aligned = 0
        if hint.mask is not None:
            near = available & sum(self.topology.nodes[i] for i in positions(hint.mask))
            aligned = self.pick(near, min(wanted, near.bit_count()))
            if aligned.bit_count() < wanted:
                reach("cpus.beyond-the-mask")
        if available.bit_count() < wanted:
            reach("cpus.too-few")
        chosen = aligned | self.pick(available & ~aligned, wanted - aligned.bit_count())
        reach("cpus.reused" if chosen & reusable else "cpus.taken")
        return chosen

    def pick(self, available: Cpus, wanted: int) -> Cpus:
        """So many of these CPUs, in the order of the topology; AllocationFailed where there are too few."""
        chosen = pick(self.topology, available, wanted)
        if chosen is None:
            raise AllocationFailed(
                f"not enough cpus available to satisfy request: requested={wanted}, available={available.bit_count()}"
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
        return CpuBooks(freed, kept, books.reusable, pods)

    # --- start

    def restored(self, books: CpuBooks) -> CpuBooks:
        """Check the books of a state file against today's machine; StartRefused where they contradict it."""
        if not books.default:
            if books.entries:
                raise StartRefused("default cpuset cannot be empty")
            return CpuBooks(default=self.topology.all)
        if self.reserved & ~books.default:
            raise StartRefused(
                f'not all reserved cpus: "{listed(self.reserved)}" are present in defaultCpuSet: "{listed(books.default)}"'
            )
        known = books.default
        for uid, containers in books.entries.items():
            for container, cpus in containers.items():
                if cpus & books.default:
                    raise StartRefused(
                        f'pod: {uid}, container: {container} cpuset: "{listed(cpus)}" overlaps with default cpuset '
                        f'"{listed(books.default)}"'
                    )
                known |= cpus
        for cpus in books.pods.values():
            known |= cpus
        if known != self.topology.all:
            raise StartRefused(
                f'current set of available CPUs "{listed(self.topology.all)}" doesn\'t match with CPUs in state '
                f'"{listed(known)}"'
            )
        return CpuBooks(books.default, books.entries, pods=books.pods)


def _note_reusable(books: CpuBooks, uid: str, asks: Asked, container: str, cpus: Cpus) -> CpuBooks:
    """A regular init container leaves its CPUs to later ones; any other container uses them up."""
    old = books.reusable_of(uid)
    left = old | cpus if container in asks.regular_init else old & ~cpus
    return CpuBooks(books.default, books.entries, (uid, left), books.pods)

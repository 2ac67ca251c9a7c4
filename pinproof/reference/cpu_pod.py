"""The CPUs of a pod that asks for resources as a whole, under pod-level resource managers (1.36, #134768).

The counterpart of `pod_level.py`; knowledge of upstream's algorithm, checked against it. Rules, for scope `pod`:

* A pod that asks for a whole number of CPUs gets that many at once; one that does not gets none.
* An exclusive container with a whole number takes its CPUs from the pod's. A shared init container may use all that sidecars
  left, every other shared container what is left in the end.
* The pod's CPUs return to the default set with the last container's record. A pod that is admitted again gets others, and
  what it had is in no set: the next start finds CPUs missing and refuses (#140906).
* After a restart a shared container holds CPUs that it does not ask for, so the pod's hints are impossible.
"""

from __future__ import annotations

from pinproof.reference.cpu_manager import CpuBooks, CpuManager
from pinproof.reference.cpu_picker import Cpus
from pinproof.reference.decisions import Reach, ignore
from pinproof.reference.hints import NO_PREFERENCE, NOTHING_FITS, Hint, Hints
from pinproof.reference.pod_level import kinds, shortages
from pinproof.reference.requests import Asked

IMPOSSIBLE: Hints = {"cpu": NOTHING_FITS}


def complaint(asks: Asked) -> str:
    """Why the pod's CPUs leave nothing for its shared containers; empty where they do not, or where it gets none at all."""
    if not asks.pod_cpus:
        return ""
    wants = {name: {"cpu": count} if (count := asks.cpus[name]) else {} for name in asks.names}
    where, short = shortages(asks, wants.__getitem__, {"cpu": asks.pod_cpus})
    if not short:
        return ""
    if where == "init":
        return "pod rejected, pod has shared init containers but no cpus available for them"
    return (
        "pod rejected, sum of exclusive container cpu requests equals pod budget, leaving no cpus for shared containers"
    )


def pod_hints(manager: CpuManager, books: CpuBooks, uid: str, asks: Asked, reach: Reach = ignore) -> Hints:
    """Proposals for a managed pod."""
    if not asks.pod_cpus:
        return NO_PREFERENCE
    return IMPOSSIBLE if complaint(asks) else manager.pod_hints(books, uid, asks, reach)


def allocate_pod(manager: CpuManager, books: CpuBooks, uid: str, asks: Asked, hint: Hint) -> CpuBooks:
    """Give a pod its CPUs, and its containers their parts; AllocationFailed where there are too few."""
    if not asks.pod_cpus:
        return books
    whole = manager.take(books, asks.pod_cpus, hint, 0)
    parts: dict[str, Cpus] = {}
    pool = whole
    for name, kind in kinds(asks):
        if count := asks.cpus[name]:
            parts[name] = manager.pick(pool, count)
            pool = pool if kind == "init" else pool & ~parts[name]
        elif kind == "init":
            parts[name] = pool
    held = {name: parts.get(name, pool) for name in asks.names}
    return CpuBooks(
        books.default & ~whole,
        {**books.entries, uid: {**books.entries.get(uid, {}), **held}},
        books.reusable,
        {**books.pods, uid: whole},
    )

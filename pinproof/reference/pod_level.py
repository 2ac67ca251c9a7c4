"""The memory of a pod that asks for resources as a whole, under pod-level resource managers (behaviour.md 10.3).

What else releases make of pod-level resources is in `requests.py` (`PodLevel`). Rules, for Topology Manager scope `pod`:

* A container whose CPU and memory limits equal its requests is exclusive, any other is shared.
* The pod gets one block of each type, and its containers get parts of it: an exclusive one what it asks for, a shared init
  container all that sidecars before it left, every other shared container what is left in the end.
* A pod whose exclusive containers leave nothing for a shared one is refused: an empty shared pool.
* The books hold the pod's blocks alone; they are given back when the last container's record goes (`release.release`).
* A pod that is admitted again after a restart is allocated again: up to 1.37 what it had is never given back (#140906).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from pinproof.reference.decisions import Reach, ignore
from pinproof.reference.hints import NOTHING_FITS, Hint, Hints
from pinproof.reference.masks import Mask
from pinproof.reference.outcomes import GROUP_VIOLATION, AllocationFailed
from pinproof.reference.requests import Asked, MemoryRequest
from pinproof.reference.static_policy import MemoryState, Share, choose_mask, name_the_block

WRAP = 1 << 64
"""Sizes are uint64 in the kubelet: what goes below 0 comes out at the top."""

Kind = Literal["init", "sidecar", "app"]


def kinds(asks: Asked) -> Iterator[tuple[str, Kind]]:
    """The containers of a pod, in order, with what they are."""
    for container in asks.pod.init_containers:
        yield container.name, "sidecar" if container.restart_always else "init"
    for container in asks.pod.containers:
        yield container.name, "app"


def shortages(
    asks: Asked, wants: Callable[[str], Mapping[str, int]], total: Mapping[str, int]
) -> tuple[Literal["init", "running"], list[str]]:
    """Of which resources nothing is left for a shared container: a regular init container, or one that goes on running.

    `wants` is container → what it has for itself; nothing at all makes it a shared container. One without any of a resource
    that others use up counts as short of it, although it does not ask for any. The containers are asked about one by one, so
    that what is wrong with the first is what is told.
    """
    taken: Counter[str] = Counter()
    shared = False
    for name, kind in kinds(asks):
        own = wants(name)
        if kind != "init":
            taken.update(own)
            shared |= not own
        elif not own and (short := [resource for resource in total if taken[resource] >= total[resource]]):
            return "init", short
    return "running", [resource for resource in total if taken[resource] >= total[resource]] if shared else []


def complaints(asks: Asked) -> tuple[str, ...]:
    """Why the pod's memory leaves nothing for its shared containers: what may be said, since the kubelet walks a Go map."""
    try:
        where, types = shortages(asks, asks.memory_of, asks.pod_memory or {})
    except AllocationFailed as unreadable:
        return (str(unreadable),)
    if where == "init":
        return tuple(f"pod rejected, pod has shared init containers but no {t} available for them" for t in types)
    return tuple(
        f"pod rejected, sum of exclusive container {t} requests equals pod budget, leaving no memory for shared containers"
        for t in types
    )


def impossible(asks: Asked) -> Hints:
    """The hints of a pod with an empty shared pool: no proposal for any type."""
    return dict.fromkeys(asks.pod_memory or {}, NOTHING_FITS)


def allocate_pod(state: MemoryState, uid: str, asks: Asked, hint: Hint, reach: Reach = ignore) -> MemoryState:
    """Give a pod its memory, and its containers their parts; AllocationFailed when that cannot be."""
    total = asks.pod_memory or {}
    if uid in state.pods or state.entries.get(uid):
        reach("pod-level.allocated-again")
    mask = choose_mask(state, uid, total, hint, reach)
    if state.books.breaks_a_group(mask):
        reach("allocate.breaks-a-group")
        raise AllocationFailed(GROUP_VIOLATION)
    reach("pod-level.allocated")
    books = state.books
    for memory_type, size in total.items():
        name_the_block(books, mask, memory_type, size, reach)
        books = books.take(mask, memory_type, size)
    containers = {name: _shares(mask, part) for name, part in _parts(asks, total).items()}
    return replace(
        state,
        books=books,
        entries={**state.entries, uid: {**state.entries.get(uid, {}), **containers}},
        pods={**state.pods, uid: tuple(Share(mask, memory_type, size) for memory_type, size in total.items())},
    )


def _parts(asks: Asked, total: MemoryRequest) -> dict[str, MemoryRequest]:
    """Container → what it gets of the pod's memory. Parts of shared containers overlap, so their sum exceeds the total."""
    parts: dict[str, MemoryRequest] = {}
    pool = dict(total)
    for name, kind in kinds(asks):
        own = asks.memory_of(name)
        if own:
            parts[name] = own
            if kind != "init":
                pool = _less(pool, own)
        elif kind == "init":
            parts[name] = dict(pool)
    return {name: parts.get(name, pool) for name, _ in kinds(asks)}


def _less(pool: Mapping[str, int], part: MemoryRequest) -> dict[str, int]:
    return {t: (pool.get(t, 0) - part.get(t, 0)) % WRAP for t in (*pool, *(t for t in part if t not in pool))}


def _shares(mask: Mask, part: MemoryRequest) -> tuple[Share, ...]:
    return tuple(Share(mask, memory_type, size) for memory_type, size in part.items() if size)

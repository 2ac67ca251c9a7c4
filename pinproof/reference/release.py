"""How the memory manager gives back what containers had (behaviour.md 3.10, 3.11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pinproof.reference.books import Books
from pinproof.reference.decisions import Reach, ignore
from pinproof.reference.orders import Part, in_any_order, order_is_free
from pinproof.reference.requests import Asked
from pinproof.reference.static_policy import MemoryState, Share


def container_started(state: MemoryState, uid: str, asks: Asked, container: str, reach: Reach = ignore) -> MemoryState:
    """The kubelet starts a container: regular init containers before it are over and lose their blocks (3.10)."""
    for init in asks.init_before[container]:
        if state.shares(uid, init) is not None:
            reach("release.init-is-over")
        state = release(state, uid, init, reach)
    return state


def release(state: MemoryState, uid: str, container: str, reach: Reach = ignore) -> MemoryState:
    """Drop a container's record and give its blocks back (3.11).

    Of a pod with blocks of its own, those are given back instead, with the last record.
    """
    shares = state.shares(uid, container)
    if shares is None:
        return state
    entries = {pod: dict(containers) for pod, containers in state.entries.items()}
    del entries[uid][container]
    if not entries[uid]:
        del entries[uid]
    of_pod = state.pods.get(uid)
    if of_pod is None:
        return MemoryState(_given_back(state.books, shares, reach), entries, state.reusable, state.pods)
    if uid in entries:
        return MemoryState(state.books, entries, state.reusable, state.pods)
    pods = {other: held for other, held in state.pods.items() if other != uid}
    return MemoryState(_given_back(state.books, of_pod, reach), entries, state.reusable, pods)


def _given_back(books: Books, shares: Sequence[Share], reach: Reach) -> Books:
    for mask, memory_type, size in shares:
        books = books.give_back(mask, memory_type, size)
        if mask.bit_count() > 1:
            alone = not books.nodes[mask.bit_length() - 1].number_of_assignments
            reach("release.group-ends" if alone else "release.group-goes-on")
    return books


def first_of(options: Mapping[str, float]) -> str:
    """Chooses the first, where the order does not matter to whoever asks."""
    return next(iter(options))


def remove_stale(
    state: MemoryState,
    active: Mapping[str, tuple[str, ...]],
    choose: Callable[[Mapping[str, float]], str] = first_of,
    reach: Reach = ignore,
) -> MemoryState:
    """Lazy clean-up at an admission: records of pods that are no longer active go (3.11).

    `active` is pod UID → names of its containers. The kubelet walks Go maps. Where masks overlap, as they do up to 1.31, the
    order of the releases decides which node's memory is free in the end; `choose` says which of the outcomes it is.
    """
    if state.entries.keys() <= active.keys():
        return state
    gone = {
        uid: [container for container in containers if container not in active.get(uid, ())]
        for uid, containers in state.entries.items()
    }
    after = state
    for uid, containers in gone.items():
        for container in containers:
            reach("release.stale")
            after = release(after, uid, container, reach)
    released = [_what_goes(state, uid, containers) for uid, containers in gone.items()]
    if order_is_free(share.mask for containers in released for shares in containers for share in shares):
        return after
    ends = in_any_order(state.books, [_release_of_pod(containers) for containers in released])
    if len(ends) == 1:
        return after
    reach("release.order-decides")
    named = {f"after the release: {books.nodes}": books for books in ends}
    chosen = named[choose(dict(zip(named, ends.values(), strict=True)))]
    return MemoryState(chosen, after.entries, after.reusable, after.pods)


def _what_goes(state: MemoryState, uid: str, containers: Sequence[str]) -> list[tuple[Share, ...]]:
    """The blocks that are given back with these records, container by container."""
    if uid not in state.pods:
        return [state.entries[uid][container] for container in containers]
    return [state.pods[uid]] if len(containers) == len(state.entries[uid]) else []


def _release_of_pod(containers: Sequence[Sequence[Share]]) -> Part:
    parts = [_release_of_container(shares) for shares in containers]
    return lambda books: in_any_order(books, parts)


def _release_of_container(shares: Sequence[Share]) -> Part:
    return lambda books: {_given_back(books, shares, ignore): 1.0}

"""The memory manager's Static policy: hints, allocation, reuse of init memory, release (behaviour.md 3).

Scope: everything the policy decides for one container, given the books. Not here: which pods reach it and in what order
(`topology_manager.py`, `node.py`), and how the books survive a restart (`restart.py`).

Pure: a `MemoryState` and a question in, an answer or a new `MemoryState` out. Rules in one breath:

* A hint is a set of nodes (a mask) whose allocatable *and* free memory satisfy every type that the container asks for.
* It is preferred when no smaller set could ever satisfy the request, judged by allocatable, not by what is free.
* A node serves either single-node allocations or the allocations of exactly one group of nodes.
* No fitting mask means "no preference" to the Topology Manager; the pod then fails in `allocate`.
* Memory of regular init containers is reused by the later containers of the same pod, on exactly the same mask.
* Nothing is released when a pod ends, only when the next pod is admitted.

>>> from pinproof.reference.books import default_books
>>> books = default_books([(0, {"memory": (4, 0)}), (1, {"memory": (4, 0)})])
>>> calculate_hints(books, {"memory": 3}, {})
(Hint(mask=1, preferred=True), Hint(mask=2, preferred=True), Hint(mask=3, preferred=False))
>>> calculate_hints(books, {"memory": 5}, {})
(Hint(mask=3, preferred=True),)
>>> calculate_hints(books.take(0b01, "memory", 3), {"memory": 5}, {})
()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from pinproof.reference.behaviour import Behaviour
from pinproof.reference.books import Books
from pinproof.reference.masks import Hint, Mask, by_size, positions, sums
from pinproof.reference.outcomes import (
    GROUP_VIOLATION,
    NIL_POINTER,
    NO_DEFAULT,
    NO_DEFAULT_PREFERRED,
    NO_EXTENSION,
    NO_EXTENSION_PREFERRED,
    AllocationFailed,
    KubeletPanics,
)
from pinproof.reference.requests import Asked, MemoryRequest

Trace = Callable[[str, str], None]
"""Receives (topic, text) of every decision; the model only tells, whoever listens formats."""

Hints = Mapping[str, tuple[Hint, ...]]
"""A provider's answer: resource → proposals. No key at all is "no preference", a key without proposals "impossible"."""

Reusable = Mapping[tuple[Mask, str], int]
"""(mask, memory type) → bytes that a pod's init containers leave to its later containers."""

NO_PREFERENCE: Hints = {}


class Share(NamedTuple):
    """One block of an assignment."""

    mask: Mask
    type: str
    size: int


Entries = Mapping[str, Mapping[str, tuple[Share, ...]]]
"""Pod UID → container → its blocks."""


@dataclass(frozen=True, slots=True)
class MemoryState:
    """What the memory manager knows. `reusable` is lost at a restart, the rest is in the state file."""

    books: Books
    entries: Entries = field(default_factory=dict)
    reusable: tuple[str, Reusable] = ("", {})
    """Only one pod is tracked at a time: its UID, and what it may reuse."""

    pods: Mapping[str, tuple[Share, ...]] = field(default_factory=dict)
    """Pod UID → blocks of the pod as a whole; its containers' blocks are parts of them (`pod_level.py`)."""

    def shares(self, uid: str, container: str) -> tuple[Share, ...] | None:
        """A container's blocks; None when it has no record."""
        return self.entries.get(uid, {}).get(container)

    def reusable_of(self, uid: str) -> Reusable:
        """What the containers of a pod may reuse."""
        return self.reusable[1] if self.reusable[0] == uid else {}

    def nodes_of(self, uid: str, container: str) -> Mask:
        """Union of the masks of a container's blocks: what its `cpuset.mems` will be. 0 when it is not pinned."""
        union = 0
        for share in self.shares(uid, container) or ():
            union |= share.mask
        return union


# --- hints ----------------------------------------------------------------------------------------------------------


def container_hints(state: MemoryState, uid: str, asks: Asked, container: str) -> Hints:
    """Proposals for one container, scope `container` (3.5)."""
    if not asks.guaranteed:
        return NO_PREFERENCE
    request = asks.memory[container]
    if request is None:
        return NO_PREFERENCE
    held = state.shares(uid, container)
    if held is not None:
        return regenerate_hints(held, request)
    return _for_every_type(request, calculate_hints(state.books, request, state.reusable_of(uid)))


def pod_hints(state: MemoryState, uid: str, asks: Asked) -> Hints:
    """Proposals for a whole pod, scope `pod` (3.6).

    Blocks of the first container that has any are compared with the request of the whole pod, so that after a restart a pod
    of several containers has no preference.
    """
    if not asks.guaranteed or not asks.pod_memory:
        return NO_PREFERENCE
    for container in asks.names:
        held = state.shares(uid, container)
        if held is not None:
            return regenerate_hints(held, asks.pod_memory)
    return _for_every_type(asks.pod_memory, calculate_hints(state.books, asks.pod_memory, state.reusable_of(uid)))


def calculate_hints(books: Books, request: MemoryRequest, reusable: Reusable) -> tuple[Hint, ...]:
    """The masks that would serve a request, the same for every type it names (3.4). Sizes in bytes."""
    if not request:
        return ()
    _know_types(books, request)
    masks = by_size(len(books.nodes))
    wanted = tuple(request.items())
    capacity = [(_capacity_sums(books.allocatable(memory_type)), size) for memory_type, size in wanted]
    supply = [(sums(books.free(memory_type)), memory_type, size) for memory_type, size in wanted]

    keeps_groups = group_rule(books)
    smallest = len(books.nodes)
    serving = []
    for mask in masks:
        if any(total[mask] < size for total, size in capacity):
            continue
        # Counted before the group rule: a request that fits one empty node never prefers two (3.4 step 2).
        smallest = min(smallest, mask.bit_count())
        if not keeps_groups(mask):
            continue
        if all(free[mask] + reusable.get((mask, memory_type), 0) >= size for free, memory_type, size in supply):
            serving.append(mask)
    return tuple(Hint(mask, mask.bit_count() == smallest) for mask in serving)


@lru_cache(maxsize=256)
def _capacity_sums(allocatable: tuple[int, ...]) -> list[int]:
    return sums(allocatable)


def group_rule(books: Books) -> Callable[[Mask], bool]:
    """Whether a mask keeps the groups: one node outside any group, or several, unused or already exactly this group.

    Worked out once for all masks of a request: a mask of several nodes is fine when the nodes in use among them are just
    those that belong to a group of this very mask.
    """
    in_use = inside_a_group = 0
    members: dict[Mask, Mask] = {}
    for position, node in enumerate(books.nodes):
        if node.group.bit_count() > 1:
            inside_a_group |= 1 << position
        if node.number_of_assignments > 0:
            in_use |= 1 << position
            members[node.group] = members.get(node.group, 0) | 1 << position

    def keeps_groups(mask: Mask) -> bool:
        if mask.bit_count() == 1:
            return not mask & inside_a_group
        return mask & in_use == members.get(mask, 0)

    return keeps_groups


def regenerate_hints(held: tuple[Share, ...], request: MemoryRequest) -> Hints:
    """Hints of a container that already has its blocks: exactly these, or no preference if they are not what it asks (3.7).

    After init memory was reused the recorded sizes are smaller than the request, so there is no preference then either.
    """
    if len(held) != len(request) or any(request.get(share.type) != share.size for share in held):
        return NO_PREFERENCE
    return {share.type: (Hint(share.mask, True),) for share in held}


def _know_types(books: Books, request: MemoryRequest) -> None:
    """The kubelet crashes over a page size that the machine does not have, whoever asks for it first (3.4)."""
    if not request.keys() <= set(books.types):
        raise KubeletPanics(NIL_POINTER)


def _for_every_type(request: MemoryRequest, hints: tuple[Hint, ...]) -> Hints:
    return dict.fromkeys(request, hints) if hints else NO_PREFERENCE


# --- allocation -----------------------------------------------------------------------------------------------------


def allocate(
    state: MemoryState,
    uid: str,
    asks: Asked,
    container: str,
    hint: Hint,
    behaviour: Behaviour,
    trace: Trace | None = None,
) -> MemoryState:
    """Give a container its memory on the mask of the merged hint; AllocationFailed when that cannot be (3.8).

    # HINTS    no mask: the policy's own best. Too little free on the mask: the best mask that contains it.
    # ADMIT    a mask that would break a group is refused (1.32).
    # ASSIGN   one block for each type, greedy over the nodes; less what earlier init containers left on the same mask.
    # PERSIST  new blocks shrink the blocks of the init containers whose memory they reuse.
    """
    held = state.shares(uid, container)
    if held is not None:
        return _note_reusable(state, uid, asks, container, held)
    request = asks.memory_of(container)
    mask = choose_mask(state, uid, request, hint)
    if behaviour.allocate_refuses_group_violation and state.books.breaks_a_group(mask):
        raise AllocationFailed(GROUP_VIOLATION)

    books = state.books
    reusable = state.reusable_of(uid)
    for memory_type, size in request.items():
        books = books.take(mask, memory_type, max(0, size - reusable.get((mask, memory_type), 0)))
    shares = tuple(Share(mask, memory_type, size) for memory_type, size in request.items())
    if trace:
        trace("allocate", f"{container}: {dict(request)} on nodes {list(books.ids_of(mask))}")

    state = _note_reusable(replace(state, books=books), uid, asks, container, shares)
    entries = _with_shares(state.entries, uid, container, shares)
    return replace(state, entries=_shrink_init_shares(entries, uid, asks, container, shares))


def choose_mask(state: MemoryState, uid: str, request: MemoryRequest, hint: Hint) -> Mask:
    """The Topology Manager's mask, or our own where it has none or too little free memory (3.8 steps 5 and 6)."""
    books, reusable = state.books, state.reusable_of(uid)
    if hint.mask is None:
        own = calculate_hints(books, request, reusable)
        hint = _acceptable(own, hint, none_left=NO_DEFAULT, not_preferred=NO_DEFAULT_PREFERRED)
    mask = _certain(hint)
    _know_types(books, request)
    # What may be reused is not counted here, although the hints counted it.
    if any(books.free_over(mask, memory_type) < size for memory_type, size in request.items()):
        wider = tuple(h for h in calculate_hints(books, request, reusable) if _certain(h) & mask == mask)
        mask = _certain(_acceptable(wider, hint, none_left=NO_EXTENSION, not_preferred=NO_EXTENSION_PREFERRED))
    return mask


def _acceptable(candidates: tuple[Hint, ...], wish: Hint, *, none_left: str, not_preferred: str) -> Hint:
    """The best of our own hints; it has to be preferred where the Topology Manager promised a preferred one."""
    if not candidates:
        raise AllocationFailed(none_left)
    chosen = best(candidates)
    if wish.preferred and not chosen.preferred:
        raise AllocationFailed(not_preferred)
    return chosen


def best(hints: Iterable[Hint]) -> Hint:
    """A preferred hint before others, then the narrower mask."""
    return min(hints, key=lambda hint: (not hint.preferred, _certain(hint).bit_count(), hint.mask))


def _certain(hint: Hint) -> Mask:
    assert hint.mask is not None  # noqa: S101  # our own hints always have a mask
    return hint.mask


def _with_shares(entries: Entries, uid: str, container: str, shares: tuple[Share, ...]) -> Entries:
    return {**entries, uid: {**entries.get(uid, {}), container: shares}}


# --- init containers ------------------------------------------------------------------------------------------------


def _note_reusable(state: MemoryState, uid: str, asks: Asked, container: str, shares: tuple[Share, ...]) -> MemoryState:
    """A regular init container leaves its memory to later ones; any other container uses it up (3.9)."""
    reusable = dict(state.reusable_of(uid))
    for mask, memory_type, size in shares:
        old = reusable.get((mask, memory_type), 0)
        leaves = container in asks.regular_init
        reusable[mask, memory_type] = max(old, size) if leaves else max(0, old - size)
    return replace(state, reusable=(uid, reusable))


def _shrink_init_shares(entries: Entries, uid: str, asks: Asked, container: str, new: tuple[Share, ...]) -> Entries:
    """What a container takes over is taken off the init containers' blocks, first init container first (3.9).

    Blocks that reach 0 stay and keep counting as assignments.
    """
    containers = dict(entries[uid])
    for share in new:
        left = share.size
        for init in asks.init_before[container]:
            shrunk = []
            for old in containers.get(init, ()):
                reused = min(left, old.size) if (old.mask, old.type) == (share.mask, share.type) else 0
                left -= reused
                shrunk.append(Share(old.mask, old.type, old.size - reused))
            if shrunk:
                containers[init] = tuple(shrunk)
    return {**entries, uid: containers}


# --- release --------------------------------------------------------------------------------------------------------


def container_started(state: MemoryState, uid: str, asks: Asked, container: str) -> MemoryState:
    """The kubelet starts a container: regular init containers before it are over and lose their blocks (3.10)."""
    for init in asks.init_before[container]:
        state = release(state, uid, init)
    return state


def release(state: MemoryState, uid: str, container: str) -> MemoryState:
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
        return replace(state, books=_given_back(state.books, shares), entries=entries)
    if uid in entries:
        return replace(state, entries=entries)
    pods = {other: held for other, held in state.pods.items() if other != uid}
    return replace(state, books=_given_back(state.books, of_pod), entries=entries, pods=pods)


def _given_back(books: Books, shares: tuple[Share, ...]) -> Books:
    for mask, memory_type, size in shares:
        books = books.give_back(mask, memory_type, size)
    return books


def remove_stale(state: MemoryState, active: Mapping[str, tuple[str, ...]]) -> MemoryState:
    """Lazy clean-up at an admission: records of pods that are no longer active go (3.11).

    `active` is pod UID → names of its containers.
    """
    if state.entries.keys() <= active.keys():
        return state
    for uid, containers in state.entries.items():
        for container in containers:
            if container not in active.get(uid, ()):
                state = release(state, uid, container)
    return state


def describe(hints: Hints, ids: Sequence[int]) -> str:
    """A hint table for people: `memory: {0}! {1}! {0,1}`; `!` marks a preferred hint. `ids` are node numbers by position."""
    if not hints:
        return "no preference"
    return "; ".join(
        f"{resource}: " + (" ".join(describe_hint(hint, ids) for hint in proposals) or "impossible")
        for resource, proposals in sorted(hints.items())
    )


def describe_hint(hint: Hint, ids: Sequence[int]) -> str:
    """One hint for people: `{0,1}!`."""
    nodes = "any" if hint.mask is None else "{" + ",".join(str(ids[i]) for i in positions(hint.mask)) + "}"
    return nodes + ("!" if hint.preferred else "")

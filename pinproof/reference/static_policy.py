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
>>> from pinproof.reference.hints import describe
>>> books = default_books([(0, {"memory": (4, 0)}), (1, {"memory": (4, 0)})])
>>> describe({"memory": calculate_hints(books, {"memory": 3}, {})}, books.ids)
'memory: {0}! {1}! {0,1}'
>>> describe({"memory": calculate_hints(books, {"memory": 5}, {})}, books.ids)
'memory: {0,1}!'
>>> calculate_hints(books.take(0b01, "memory", 3), {"memory": 5}, {}) == NOTHING_FITS
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pinproof.reference.behaviour import Behaviour
from pinproof.reference.books import Books
from pinproof.reference.decisions import Reach, ignore
from pinproof.reference.hints import NO_PREFERENCE, NOTHING_FITS, Hint, Hints, Proposals
from pinproof.reference.masks import (
    Mask,
    Masks,
    around,
    enough,
    every,
    inside,
    least_size,
    narrowest,
    of_size,
    positions,
)
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

Reusable = Mapping[tuple[Mask, str], int]
"""(mask, memory type) → bytes that a pod's init containers leave to its later containers."""


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


def container_hints(state: MemoryState, uid: str, asks: Asked, container: str, reach: Reach = ignore) -> Hints:
    """Proposals for one container, scope `container` (3.5)."""
    if not asks.guaranteed:
        return NO_PREFERENCE
    request = asks.memory[container]
    if request is None:
        reach("hints.unreadable-request")
        return NO_PREFERENCE
    held = state.shares(uid, container)
    if held is not None:
        return regenerate_hints(held, request, reach)
    return _for_every_type(request, calculate_hints(state.books, request, state.reusable_of(uid), reach))


def pod_hints(state: MemoryState, uid: str, asks: Asked, reach: Reach = ignore) -> Hints:
    """Proposals for a whole pod, scope `pod` (3.6).

    Blocks of the first container that has any are compared with the request of the whole pod, so that after a restart a pod
    of several containers has no preference.
    """
    if not asks.guaranteed:
        return NO_PREFERENCE
    if not asks.pod_memory:
        reach("hints.unreadable-request" if asks.pod_memory is None else "hints.empty-pod-request")
        return NO_PREFERENCE
    for container in asks.names:
        held = state.shares(uid, container)
        if held is not None:
            return regenerate_hints(held, asks.pod_memory, reach)
    return _for_every_type(
        asks.pod_memory, calculate_hints(state.books, asks.pod_memory, state.reusable_of(uid), reach)
    )


HIGHEST_NODE = 63
"""The kubelet has no set with a node of a higher id, and crashes over the one that it looks at (docs/findings)."""


def calculate_hints(books: Books, request: MemoryRequest, reusable: Reusable, reach: Reach = ignore) -> Proposals:
    """The masks that would serve a request, the same for every type it names (3.4). Sizes in bytes.

    The kubelet looks at one mask after the other; here each of its rules is the set of the masks that pass it.
    """
    if not request:
        return NOTHING_FITS
    _know_types(books, request)
    if books.ids[-1] > HIGHEST_NODE:
        raise KubeletPanics(NIL_POINTER)
    nodes = len(books.nodes)
    capable = roomy = every(nodes)
    for memory_type, size in request.items():
        capable &= enough(books.allocatable(memory_type), size)
        roomy &= _with_room(books, memory_type, size, reusable)
    # Judged before the group rule: a request that fits one empty node never prefers two (3.4 step 2).
    smallest = least_size(capable, nodes) or nodes
    serving = capable & keeping_groups(books) & roomy
    if reach is not ignore:
        _name_the_branches(books, request, capable, serving, roomy, reach)
    return Proposals(serving, serving & of_size(nodes, smallest))


def _with_room(books: Books, memory_type: str, size: int, reusable: Reusable) -> Masks:
    """The masks with so many bytes free, what the pod may reuse on exactly that mask included (3.4 step 5)."""
    roomy = enough(tuple(books.free(memory_type)), size)
    for (mask, reusable_type), left in reusable.items():
        if reusable_type == memory_type and books.free_over(mask, memory_type) + left >= size:
            roomy |= 1 << mask
    return roomy


def keeping_groups(books: Books) -> Masks:
    """The masks that keep the groups: one node outside any group, or several, unused or already exactly this group.

    Nodes that are unused may be added to nothing but other unused nodes (3.4 steps 3 and 4).
    """
    unused = 0
    singles = 0
    groups: dict[Mask, Mask] = {}
    for position, node in enumerate(books.nodes):
        if node.group.bit_count() == 1:
            singles |= 1 << (1 << position)
        if node.number_of_assignments:
            groups[node.group] = groups.get(node.group, 0) | 1 << position
        else:
            unused |= 1 << position
    several = inside(unused)
    for group, in_use in groups.items():
        if group & ~unused == in_use:
            several |= 1 << group
    return singles | several & ~of_size(len(books.nodes), 1)


def _name_the_branches(
    books: Books, request: MemoryRequest, capable: Masks, serving: Masks, roomy: Masks, reach: Reach
) -> None:
    """Tell which rules took masks away, and what is left."""
    nodes = len(books.nodes)
    single = of_size(nodes, 1)
    refused = capable & ~keeping_groups(books)
    used_alone = sum(1 << i for i, n in enumerate(books.nodes) if n.number_of_assignments and n.group == 1 << i)
    apart = inside((1 << nodes) - 1 & ~used_alone)
    without_reuse = every(nodes)
    for memory_type, size in request.items():
        without_reuse &= enough(tuple(books.free(memory_type)), size)
    smallest = least_size(capable, nodes) or nodes
    branches = {
        "hints.beyond-allocatable": every(nodes) & ~capable,
        "hints.group-excludes-single": refused & single,
        "hints.single-use-excludes-group": refused & ~single & ~apart,
        "hints.group-excludes-other-group": refused & ~single & apart,
        "hints.not-enough-free": capable & ~refused & ~roomy,
        "hints.reuse-makes-it-fit": serving & ~without_reuse,
        "hints.preferred": serving & of_size(nodes, smallest),
        "hints.not-preferred": serving & ~of_size(nodes, smallest),
        "hints.larger-than-machine": not capable,
        "hints.none": not serving,
        "hints.several-types": len(request) > 1,
        "hints.preferred-needs-several-nodes": serving & of_size(nodes, smallest) and smallest > 1,
        "hints.none-preferred": serving and not serving & of_size(nodes, smallest),
    }
    for name, taken in branches.items():
        if taken:
            reach(name)


def regenerate_hints(held: tuple[Share, ...], request: MemoryRequest, reach: Reach = ignore) -> Hints:
    """Hints of a container that already has its blocks: exactly these, or no preference if they are not what it asks (3.7).

    After init memory was reused the recorded sizes are smaller than the request, so there is no preference then either.
    """
    if len(held) != len(request):
        reach("regenerate.other-number")
        return NO_PREFERENCE
    for share in held:
        if request.get(share.type) != share.size:
            reach("regenerate.other-size" if share.type in request else "regenerate.other-type")
            return NO_PREFERENCE
    reach("regenerate.equal")
    return {share.type: Proposals(1 << share.mask, 1 << share.mask) for share in held}


def _know_types(books: Books, request: MemoryRequest) -> None:
    """The kubelet crashes over a page size that the machine does not have, whoever asks for it first (3.4)."""
    if not request.keys() <= set(books.types):
        raise KubeletPanics(NIL_POINTER)


def _for_every_type(request: MemoryRequest, found: Proposals) -> Hints:
    return dict.fromkeys(request, found) if found.masks else NO_PREFERENCE


# --- allocation -----------------------------------------------------------------------------------------------------


def allocate(
    state: MemoryState,
    uid: str,
    asks: Asked,
    container: str,
    hint: Hint,
    behaviour: Behaviour,
    *,
    extends: bool = True,
    trace: Trace | None = None,
    reach: Reach = ignore,
) -> MemoryState:
    """Give a container its memory on the mask of the merged hint; AllocationFailed when that cannot be (3.8).

    # HINTS    no mask: the policy's own best. Too little free on the mask: the best mask that contains it.
    # ADMIT    a mask that would break a group is refused (1.32).
    # ASSIGN   one block for each type, greedy over the nodes; less what earlier init containers left on the same mask.
    # PERSIST  new blocks shrink the blocks of the init containers whose memory they reuse.

    `extends=False`: the hint's mask is taken although it has too little free memory; what is missing is in no book.
    """
    held = state.shares(uid, container)
    if held is not None:
        reach("allocate.has-its-blocks")
        reusable = _left_to_later(state, uid, asks, container, held, reach)
        return MemoryState(state.books, state.entries, (uid, reusable), state.pods)
    request = asks.memory_of(container)
    mask = choose_mask(state, uid, request, hint, reach, extends=extends)
    check_group(state.books, mask, behaviour, reach)

    books = state.books
    reusable = state.reusable_of(uid)
    for memory_type, size in request.items():
        needed = max(0, size - reusable.get((mask, memory_type), 0))
        if needed < size:
            reach("allocate.reuses-all" if needed == 0 else "allocate.reuses-some")
        if reach is not ignore:
            name_the_block(books, mask, memory_type, needed, reach)
        books = books.take(mask, memory_type, needed)
    shares = tuple([Share(mask, memory_type, size) for memory_type, size in request.items()])
    if trace:
        trace("allocate", f"{container}: {dict(request)} on nodes {list(books.ids_of(mask))}")

    entries = _with_shares(state.entries, uid, container, shares)
    reusable = _left_to_later(state, uid, asks, container, shares, reach)
    entries = _shrink_init_shares(entries, uid, asks, container, shares, reach)
    return MemoryState(books, entries, (uid, reusable), state.pods)


def choose_mask(
    state: MemoryState, uid: str, request: MemoryRequest, hint: Hint, reach: Reach = ignore, *, extends: bool = True
) -> Mask:
    """The Topology Manager's mask, or our own where it has none or too little free memory (3.8 steps 5 and 6)."""
    books, reusable = state.books, state.reusable_of(uid)
    if hint.mask is None:
        own = calculate_hints(books, request, reusable)
        if not own.masks:
            reach("allocate.no-default")
            raise AllocationFailed(NO_DEFAULT)
        best_own = best(own, len(books.nodes))
        if hint.preferred and not best_own.preferred:
            reach("allocate.default-not-preferred")
            raise AllocationFailed(NO_DEFAULT_PREFERRED)
        reach("allocate.default")
        hint = best_own
    mask = _certain(hint)
    _know_types(books, request)
    # What may be reused is not counted here, although the hints counted it.
    if extends and any(books.free_over(mask, memory_type) < size for memory_type, size in request.items()):
        mask = _extended(state, uid, request, hint, reach)
    return mask


def _extended(state: MemoryState, uid: str, request: MemoryRequest, hint: Hint, reach: Reach) -> Mask:
    """The best mask that contains the hint's and has enough; as good as the hint promised."""
    nodes, mask = len(state.books.nodes), _certain(hint)
    masks, preferred = calculate_hints(state.books, request, state.reusable_of(uid))[:2]
    wider = Proposals(masks & around(mask, nodes), preferred & around(mask, nodes))
    if not wider.masks:
        reach("allocate.no-extension")
        raise AllocationFailed(NO_EXTENSION)
    chosen = best(wider, nodes)
    if hint.preferred and not chosen.preferred:
        reach("allocate.extension-not-preferred")
        raise AllocationFailed(NO_EXTENSION_PREFERRED)
    reach("allocate.extended-by-reuse" if chosen.mask == mask else "allocate.extended")
    return _certain(chosen)


def check_group(books: Books, mask: Mask, behaviour: Behaviour, reach: Reach = ignore) -> None:
    """Refuse a mask that would break a group; up to 1.31 nobody looked (3.8 step 7)."""
    if not books.breaks_a_group(mask):
        return
    if behaviour.allocate_refuses_group_violation:
        reach("allocate.breaks-a-group")
        raise AllocationFailed(GROUP_VIOLATION)
    reach("allocate.groups-overlap")


def name_the_block(books: Books, mask: Mask, memory_type: str, needed: int, reach: Reach) -> None:
    """Tell what kind of block is made."""
    size = mask.bit_count()
    reach(f"allocate.on-{size if size < 4 else '4-or-more'}")
    if needed > books.free_over(mask, memory_type):
        reach("allocate.remainder-lost")
    if size == 1 and books.nodes[mask.bit_length() - 1].group != mask:
        reach("allocate.single-inside-a-group")
    if size > 1 and any(books.nodes[i].number_of_assignments for i in positions(mask)):
        reach("allocate.joins-a-group")
    if memory_type != "memory":
        reach("allocate.huge-pages")
    if needed == 0:
        reach("allocate.empty-block")


def best(offered: Proposals, nodes: int) -> Hint:
    """A preferred hint before others, then the narrower mask."""
    masks = offered.preferred or offered.masks
    return Hint(narrowest(masks, nodes), bool(offered.preferred))


def _certain(hint: Hint) -> Mask:
    assert hint.mask is not None  # noqa: S101  # our own hints always have a mask
    return hint.mask


def _with_shares(entries: Entries, uid: str, container: str, shares: tuple[Share, ...]) -> Entries:
    return {**entries, uid: {**entries.get(uid, {}), container: shares}}


# --- init containers ------------------------------------------------------------------------------------------------


def _left_to_later(
    state: MemoryState, uid: str, asks: Asked, container: str, shares: tuple[Share, ...], reach: Reach
) -> Reusable:
    """A regular init container leaves its memory to later ones; any other container uses it up (3.9)."""
    if not asks.pod.init_containers:
        return {}
    leaves = container in asks.regular_init
    reusable = dict(state.reusable_of(uid))
    for mask, memory_type, size in shares:
        old = reusable.get((mask, memory_type), 0)
        if old:
            reach("init.init-reuses" if leaves else "init.later-container-uses-up")
        reusable[mask, memory_type] = max(old, size) if leaves else max(0, old - size)
    return reusable


def _shrink_init_shares(
    entries: Entries, uid: str, asks: Asked, container: str, new: tuple[Share, ...], reach: Reach
) -> Entries:
    """What a container takes over is taken off the init containers' blocks, first init container first (3.9).

    Blocks that reach 0 stay and keep counting as assignments.
    """
    if asks.init_before[container]:
        for shrunk in shrinking(entries, uid, asks, container, new, reach):
            entries = shrunk
    return entries


def shrinking(
    entries: Entries, uid: str, asks: Asked, container: str, new: tuple[Share, ...], reach: Reach = ignore
) -> Iterator[Entries]:
    """The records after each init container that the kubelet looks at, whether or not it had something to take over."""
    containers = dict(entries[uid])
    for share in new:
        left = share.size
        for init in asks.init_before[container]:
            if not left or not containers.get(init):
                continue
            shrunk = []
            for old in containers[init]:
                reused = min(left, old.size) if (old.mask, old.type) == (share.mask, share.type) else 0
                left -= reused
                shrunk.append(Share(old.mask, old.type, old.size - reused))
                if reused:
                    reach("init.block-emptied" if reused == old.size else "init.block-shrunk")
            containers[init] = tuple(shrunk)
            yield {**entries, uid: dict(containers)}

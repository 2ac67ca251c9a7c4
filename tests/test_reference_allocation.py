"""Allocation against behaviour.md 3.8 to 3.11: which mask, what is booked, what init containers leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.reference import outcomes
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.books import Books
from pinproof.reference.hints import Hint
from pinproof.reference.outcomes import AllocationFailed
from pinproof.reference.release import container_started, release, remove_stale
from pinproof.reference.requests import Asked, asked
from pinproof.reference.static_policy import MemoryState, allocate
from pinproof.scenario.pod import Pod
from tests.reference_values import GIB, books, container, free, pod

LATEST = behaviour_of("1.36")
ANY = Hint(None, False)


def asks(memory: int) -> Asked:
    """A Guaranteed pod of one container `c`."""
    return asked(pod("a", container("c", memory=str(memory))))


def place(state: Books, memory: int, hint: Hint, minor: str = "1.36") -> MemoryState:
    """Allocate for that pod on these books."""
    return allocate(MemoryState(state), "a", asks(memory), "c", hint, behaviour_of(minor))


def text(state: Books, memory: int, hint: Hint, minor: str = "1.36") -> str:
    """The error of such an allocation."""
    with pytest.raises(AllocationFailed) as caught:
        place(state, memory, hint, minor)
    return str(caught.value)


TWO = books(4, 4)
SPLIT = TWO.take(0b01, "memory", 1).take(0b10, "memory", 1)
GROUP = TWO.take(0b11, "memory", 5)


def test_no_mask_is_the_policys_own_best() -> None:
    """Step 5: the narrowest preferred mask with the smallest number."""
    assert 0b01 == place(TWO, 4, ANY).nodes_of("a", "c")
    assert 0b11 == place(TWO, 5, ANY).nodes_of("a", "c")


def test_errors_of_the_own_choice() -> None:
    """None left; or only ones that are not preferred although the Topology Manager promised a preferred one."""
    assert outcomes.NO_DEFAULT == text(SPLIT, 7, ANY)
    assert outcomes.NO_DEFAULT_PREFERRED == text(GROUP, 1, Hint(None, True))


def test_mask_with_too_little_free_is_extended() -> None:
    """Step 6: to the best mask that contains it."""
    assert 0b11 == place(TWO, 5, Hint(0b10, False)).nodes_of("a", "c")
    assert 0b101 == place(books(4, 4, 4), 8, Hint(0b100, True)).nodes_of("a", "c")


def test_errors_of_the_extension() -> None:
    """No mask contains the given one; or one that is not preferred although the given one was."""
    assert outcomes.NO_EXTENSION == text(SPLIT, 5, Hint(0b01, False))
    assert outcomes.NO_EXTENSION_PREFERRED == text(GROUP, 2, Hint(0b01, True))


@pytest.mark.parametrize(("minor", "refused"), [("1.31", False), ("1.32", True), ("1.36", True)])
def test_mask_that_breaks_a_group_is_refused_since_132(minor: str, refused: bool) -> None:
    """Step 7 (#123443): enough is free, but both nodes have single-node allocations."""
    if refused:
        assert outcomes.GROUP_VIOLATION == text(SPLIT, 6, Hint(0b11, True), minor)
    else:
        assert [0, 0] == free(place(SPLIT, 6, Hint(0b11, True), minor).books)


def test_single_node_of_a_group_is_not_refused() -> None:
    """Only masks of several nodes are checked, so the node's partners keep the group while it leaves."""
    nodes = place(books(4, 4).take(0b11, "memory", 2), 2, Hint(0b10, False)).books.nodes

    assert [0b11, 0b10] == [node.group for node in nodes]


def test_container_with_blocks_is_left_alone() -> None:
    """Step 2: allocation is idempotent."""
    once = place(TWO, 3, ANY)

    assert once.books == allocate(once, "a", asks(3), "c", Hint(0b10, True), LATEST).books


def test_rejected_allocation_leaves_no_trace() -> None:
    """States are values: whoever fails has changed nothing."""
    before = MemoryState(SPLIT)
    with pytest.raises(AllocationFailed):
        allocate(before, "a", asks(7), "c", ANY, LATEST)

    assert MemoryState(SPLIT) == before


# --- init containers

REUSE = [
    ("1 2", "3 4", "0 0", "3 4", 7, 8),
    ("4 3", "2 1", "0 1", "2 1", 4, 8),
    ("7 4", "4 3", "0 0", "4 3", 7, 8),
    ("7 4", "5 2", "0 0", "5 2", 7, 8),
    ("1 R2 3 R4", "1", "0 2 0 4", "1", 7, 10),
]


def of_gib(init: str, apps: str) -> Pod:
    """A pod of containers that ask for so many GiB of memory and of huge pages; `R` marks a sidecar."""
    sizes = [(word.lstrip("R"), word.startswith("R")) for word in init.split()]
    return pod(
        "a",
        *(container(f"c{n}", memory=f"{size}Gi", hugepages_1Gi=f"{size}Gi") for n, size in enumerate(apps.split())),
        init=[
            container(f"i{n}", memory=f"{size}Gi", hugepages_1Gi=f"{size}Gi", sidecar=sidecar)
            for n, (size, sidecar) in enumerate(sizes)
        ],
    )


def admitted(what: Asked, state: MemoryState) -> MemoryState:
    """All containers of a pod, one after the other, on one node."""
    for name in what.names:
        state = allocate(state, "a", what, name, Hint(0b1, True), LATEST)
    return state


@pytest.mark.parametrize(("init", "apps", "left", "kept", "reserved", "count"), REUSE)
def test_init_memory_is_reused(init: str, apps: str, left: str, kept: str, reserved: int, count: int) -> None:
    """The golden vectors of 3.9, in GiB."""
    wanted = of_gib(init, apps)
    state = admitted(asked(wanted), MemoryState(books(32 * GIB, pages=(32 * GIB,))))

    def sizes(kind: str) -> str:
        names = [name for name in asked(wanted).names if name.startswith(kind)]
        return " ".join(str(max(share.size for share in state.entries["a"][name]) // GIB) for name in names)

    assert (left, kept) == (sizes("i"), sizes("c"))
    assert (32 - reserved) * GIB == state.books.free("memory")[0] == state.books.free("hugepages-1Gi")[0]
    assert count == state.books.nodes[0].number_of_assignments


def test_sum_of_the_blocks_is_what_was_taken() -> None:
    """3.9: recorded sizes of init containers shrink by what others take over."""
    state = admitted(asked(of_gib("4 3", "2 1")), MemoryState(books(32 * GIB, pages=(32 * GIB,))))
    recorded = sum(s.size for shares in state.entries["a"].values() for s in shares if s.type == "memory")

    assert recorded == 32 * GIB - state.books.free("memory")[0]


def test_reuse_is_of_one_pod_at_a_time() -> None:
    """The next pod's allocation forgets what the pod before may reuse."""
    what = asked(of_gib("4", "1"))
    state = allocate(MemoryState(books(32 * GIB, pages=(32 * GIB,))), "a", what, "i0", Hint(1, True), LATEST)
    assert state.reusable_of("a")

    other = allocate(state, "b", what, "c0", Hint(1, True), LATEST)
    assert {} == other.reusable_of("a")


def test_start_of_a_container_ends_init_containers_before_it() -> None:
    """3.10: blocks of regular init containers go when a later container starts, sidecars keep theirs."""
    what = asked(of_gib("1 R2 3 R4", "1"))
    state = admitted(what, MemoryState(books(32 * GIB, pages=(32 * GIB,))))

    assert {"i1", "i2", "i3", "c0"} == container_started(state, "a", what, "i1").entries["a"].keys()
    assert {"i1", "i3", "c0"} == container_started(state, "a", what, "c0").entries["a"].keys()


# --- release


def test_stale_state_is_what_no_active_pod_owns() -> None:
    """3.11: lazily, by pod and by container name; what is active stays."""
    state = place(TWO, 3, Hint(0b01, True))
    assert state == remove_stale(state, {"a": ("c",)})

    assert MemoryState(TWO) == replace(remove_stale(state, {"b": ("c",)}), reusable=("", {}))


def test_release_is_idempotent() -> None:
    """A container without a record is nothing to release."""
    state = release(place(TWO, 3, Hint(0b01, True)), "a", "c")

    assert state == release(state, "a", "c")
    assert {} == state.entries

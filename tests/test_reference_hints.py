"""Hints against behaviour.md 3.4, 3.7 and 3.14; sizes are plain numbers."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pinproof.reference.books import Books
from pinproof.reference.hints import NO_PREFERENCE, Hint, Proposals, describe, hints_of, proposals
from pinproof.reference.outcomes import KubeletPanics
from pinproof.reference.requests import asked
from pinproof.reference.static_policy import Share, best, calculate_hints, regenerate_hints
from tests.reference_values import books, container, pod, used_books

TWO = books(4, 4)
GROUP = TWO.take(0b11, "memory", 5).take(0b11, "memory", 2)

BY_EXAMPLE = [
    ("empty, 3", TWO, 3, "{0}! {1}! {0,1}"),
    ("empty, 5", TWO, 5, "{0,1}!"),
    ("3 on node 0, 2", TWO.take(0b01, "memory", 3), 2, "{1}!"),
    ("3 on node 0, 5", TWO.take(0b01, "memory", 3), 5, ""),
    ("group of 5 and 2, the 5 removed, 1", GROUP.give_back(0b11, "memory", 5), 1, "{0,1}"),
    ("group of 5 and 2, the 5 removed, 5", GROUP.give_back(0b11, "memory", 5), 5, "{0,1}!"),
    ("both nodes used alone, plenty free", TWO.take(0b01, "memory", 1).take(0b10, "memory", 1), 5, ""),
    ("no node free, still not preferred on two", books(4, 4, 4).take(0b001, "memory", 4), 4, "{1}! {2}! {1,2}"),
    ("three nodes, group {0,1}", books(4, 4, 4).take(0b011, "memory", 5), 3, "{2}! {0,1}"),
    ("three nodes, group {0,1}, 9", books(4, 4, 4).take(0b011, "memory", 5), 9, ""),
]


@pytest.mark.parametrize(
    ("state", "request_", "hints"), [row[1:] for row in BY_EXAMPLE], ids=[r[0] for r in BY_EXAMPLE]
)
def test_group_rule_by_example(state: Books, request_: int, hints: str) -> None:
    """The table of 3.14, and its last sentences; `!` marks a preferred hint."""
    found = calculate_hints(state, {"memory": request_}, {})

    assert hints == describe({"m": found}, state.ids).removeprefix("m: ").replace("impossible", "")


def test_group_may_be_split_as_documented() -> None:
    """3.14: after a 5 and a 2 on {0,1} of two nodes with 4 each, 0 and 1 are free and each node has two assignments."""
    assert [0, 1] == GROUP.free("memory")
    assert [2, 2] == [node.number_of_assignments for node in GROUP.nodes]


def test_all_types_share_one_list() -> None:
    """A shortage of huge pages moves the memory too."""
    state = books(4, 4, pages=(0, 2))

    assert "m: {1}! {0,1}" == describe({"m": calculate_hints(state, {"memory": 1, "hugepages-1Gi": 2}, {})}, state.ids)


def test_reusable_memory_counts_on_exactly_its_mask() -> None:
    """What init containers leave on {0} helps the mask {0}, not {0,1}."""
    full = TWO.take(0b01, "memory", 4)

    found = calculate_hints(full, {"memory": 4}, {(0b01, "memory"): 4})

    assert "m: {0}! {1}!" == describe({"m": found}, full.ids)


def test_page_size_that_the_machine_does_not_have_crashes_the_kubelet() -> None:
    """The table lookup is a nil pointer."""
    with pytest.raises(KubeletPanics):
        calculate_hints(TWO, {"hugepages-1Gi": 1}, {})


HELD = (Share(0b11, "memory", 4), Share(0b11, "hugepages-1Gi", 2))


@pytest.mark.parametrize(
    "request_",
    [{"memory": 4}, {"memory": 4, "hugepages-2Mi": 2}, {"memory": 3, "hugepages-1Gi": 2}],
    ids=["fewer types", "other types", "other size"],
)
def test_blocks_that_are_not_the_request_give_no_preference(request_: dict[str, int]) -> None:
    """Regeneration wants exactly the types and sizes of the blocks (3.7)."""
    assert NO_PREFERENCE == regenerate_hints(HELD, request_)


def test_regenerated_hints_are_the_blocks() -> None:
    """One preferred hint for each block, also on several nodes."""
    both = Proposals(1 << 0b11, 1 << 0b11)

    assert {"memory": both, "hugepages-1Gi": both} == regenerate_hints(HELD, {"memory": 4, "hugepages-1Gi": 2})


def test_pod_request_is_the_most_that_is_held_at_one_time() -> None:
    """3.3: sidecars add up beside later init containers and beside the app containers."""
    init = [container("i1", memory="1"), container("s", memory="2", sidecar=True), container("i2", memory="6")]

    assert {"memory": 8} == asked(pod("a", container("c", memory="4"), init=init)).pod_memory


def test_type_of_init_containers_alone_is_lost_in_the_pod_request() -> None:
    """kubernetes#140814."""
    lost = pod("a", container("c", memory="4"), init=[container("i", memory="1", hugepages_1Gi="1Gi")])

    assert {"memory": 4} == asked(lost).pod_memory


@given(used_books(), st.integers(1, 40))
def test_hints_keep_their_promise(state: Books, size: int) -> None:
    """Every mask satisfies the sums and the group rule, and none that does is left out."""
    hints = hints_of(calculate_hints(state, {"memory": size}, {}))

    def serves(mask: int) -> bool:
        nodes = [node for i, node in enumerate(state.nodes) if mask >> i & 1]
        if mask.bit_count() == 1:
            alone = nodes[0].group.bit_count() == 1
        else:
            alone = all(node.number_of_assignments == 0 or node.group == mask for node in nodes)
        room = sum(node.tables[0].free for node in nodes)
        return alone and room >= size and sum(node.tables[0].allocatable for node in nodes) >= size

    assert {mask for mask in range(1, 16) if serves(mask)} == {hint.mask for hint in hints}


@given(used_books(), st.integers(1, 40))
def test_preferred_is_the_least_width_that_an_empty_machine_needs(state: Books, size: int) -> None:
    """Judged by allocatable, so that load changes which hints there are but not which of them are preferred."""
    enough = [
        m for m in range(1, 16) if sum(a for i, a in enumerate(state.allocatable("memory")) if m >> i & 1) >= size
    ]
    least = min((mask.bit_count() for mask in enough), default=0)

    for mask, preferred in hints_of(calculate_hints(state, {"memory": size}, {})):
        assert preferred == (mask is not None and mask.bit_count() == least)


offers = st.lists(st.builds(Hint, st.none() | st.integers(1, 15), st.booleans()), min_size=1, max_size=8)


@given(offers)
def test_best_hint_is_preferred_then_narrow(hints: list[Hint]) -> None:
    """Preferred first, then narrower, then the numerically smaller mask; compared with the plainest way to say it."""
    masks = [Hint(mask, preferred) for mask, preferred in hints if mask is not None]
    assume(masks)

    expected = min(masks, key=lambda hint: (not hint.preferred, (hint.mask or 0).bit_count(), hint.mask))
    assert expected == best(proposals(masks), 4)


@given(offers)
def test_proposals_are_the_hints_taken_together(hints: list[Hint]) -> None:
    """Nothing but repetition is lost; a mask that is offered both ways is a preferred one."""
    preferred = {hint.mask for hint in hints if hint.preferred}

    assert {Hint(mask, mask in preferred) for mask, _ in hints} == set(hints_of(proposals(hints)))

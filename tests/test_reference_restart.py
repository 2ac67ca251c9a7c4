"""What a start makes of the state file, against behaviour.md 4.4 and 4.5."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.errors import InputError
from pinproof.history import Block, Table
from pinproof.reference import orders
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.books import Books, default_books
from pinproof.reference.checkpoint import TYPE_NAMES, Checkpoint, CheckpointNode, checksum, encode, sealed
from pinproof.reference.outcomes import StartRefused
from pinproof.reference.restart import DIFFERENT, NO_STATE, adopt, entries_of, load, machine_of, verdicts
from tests.reference_values import GIB, MIB

LATEST = behaviour_of("1.36")


def two(memory: int, pages: int = 0) -> Books:
    """Two nodes with so many MiB of allocatable memory each, and 1Gi pages where there are some."""
    sizes = {"memory": ((memory + 1024 * pages) * MIB, 0)} | ({"hugepages-1Gi": (pages * GIB, 0)} if pages else {})
    return default_books([(0, sizes), (1, sizes)])


def node(count: int, cells: tuple[int, ...], /, **free: tuple[int, int]) -> CheckpointNode:
    """A node with (allocatable, free) in MiB by type; memory's total includes the pages."""
    pages = free.get("hugepages_1Gi", (0, 0))[0]
    tables = {}
    for name, (allocatable, left) in free.items():
        total = allocatable + (pages if name == "memory" else 0)
        tables[name.replace("_", "-")] = Table(
            total * MIB, 0, allocatable * MIB, (allocatable - left) * MIB, left * MIB
        )
    return CheckpointNode(count, tables, cells)


def both(size: int, memory_type: str = "memory") -> Block:
    """A block of so many MiB on {0,1}."""
    return Block((0, 1), memory_type, size * MIB)


PAGES = sealed(
    "Static",
    {
        0: node(4, (0, 1), memory=(640, 0), hugepages_1Gi=(1024, 0)),
        1: node(4, (0, 1), memory=(640, 256), hugepages_1Gi=(1024, 0)),
    },
    {
        "p": {
            "a": (both(768), both(1024, "hugepages-1Gi")),
            "b": (both(256), both(1024, "hugepages-1Gi")),
        }
    },
)
SPLIT = sealed(
    "Static",
    {0: node(2, (0, 1), memory=(220, 10)), 1: node(2, (0, 1), memory=(220, 180))},
    {"p": {"a": (both(240),), "b": (both(10),)}},
)


def test_vector_with_huge_pages() -> None:
    """First vector of 4.5: valid in every minor, for the file's split is the replay's."""
    assert ("",) == verdicts(PAGES, two(640, 1), LATEST)
    assert ("",) == verdicts(PAGES, two(640, 1), behaviour_of("1.31"))


def test_vector_with_another_split() -> None:
    """Second vector of 4.5: the sums over the group agree (#127074), the nodes do not."""
    assert ("",) == verdicts(SPLIT, two(220), behaviour_of("1.32"))
    assert (DIFFERENT,) == verdicts(SPLIT, two(220), behaviour_of("1.31"))


def changed(**parts: object) -> Checkpoint:
    """The vector with another node 0."""
    machine = dict(PAGES.machine or {})
    machine[0] = replace(machine[0], **parts)  # type: ignore[arg-type]  # each caller names a field of its own
    return replace(PAGES, machine=machine)


@pytest.mark.parametrize(
    "checkpoint",
    [
        changed(number_of_assignments=3),
        changed(cells=(0,)),
        changed(memory={"memory": (PAGES.machine or {})[0].memory["memory"]}),  # type: ignore[index]  # it has tables
        replace(PAGES, machine={0: (PAGES.machine or {})[0]}),
        replace(PAGES, entries={}),
    ],
    ids=["count", "group", "types", "nodes", "blocks gone"],
)
def test_every_difference_is_refused(checkpoint: Checkpoint) -> None:
    """Step 3: assignments, groups, types, nodes, sums."""
    assert (DIFFERENT,) == verdicts(checkpoint, two(640, 1), LATEST)


@pytest.mark.parametrize("empty", [two(641, 1), two(640, 2)], ids=["memory", "pages"])
def test_machine_that_changed_is_refused(empty: Books) -> None:
    """4.6: totals and allocatable have to be today's."""
    assert (DIFFERENT,) == verdicts(PAGES, empty, LATEST)


def test_order_of_cells_is_no_difference() -> None:
    """Groups are compared as sets."""
    assert ("",) == verdicts(changed(cells=(1, 0)), two(640, 1), LATEST)


def test_blocks_on_what_does_not_exist() -> None:
    """Step 2 names the pod and the container."""
    where = "[memorymanager] (pod: p, container: c) the memory assignment uses "
    away = replace(SPLIT, entries={"p": {"c": (Block((2,), "memory", 1),)}})
    strange = replace(SPLIT, entries={"p": {"c": (Block((0,), "hugepages-2Mi", 1),)}})

    assert (where + "the NUMA that does not exist",) == verdicts(away, two(220), LATEST)
    assert (where + "memory resource that does not exist",) == verdicts(strange, two(220), LATEST)


def test_file_without_a_machine() -> None:
    """Step 1: a fresh start, unless it has assignments."""
    assert ("",) == verdicts(Checkpoint("Static"), two(220), LATEST)
    assert (NO_STATE,) == verdicts(Checkpoint("Static", entries={"p": {}}), two(220), LATEST)


def test_overlapping_masks_leave_the_verdict_open() -> None:
    """Which of two blocks is replayed last decides a node's group, so both outcomes are allowed."""
    blocks = {"p": {"a": (both(10),), "b": (Block((0,), "memory", 10 * MIB),)}}
    machine = {0: node(2, (0,), memory=(220, 200)), 1: node(1, (0, 1), memory=(220, 220))}

    assert {"", DIFFERENT} == set(verdicts(sealed("Static", machine, blocks), two(220), LATEST))


def single(node_id: int) -> Block:
    """A block of 10 MiB on one node."""
    return Block((node_id,), "memory", 10 * MIB)


def test_every_order_counts_however_many_blocks_there_are() -> None:
    """The one container of node 0 may be replayed last or not, also beside eight pods of the group."""
    pods = {f"p{n}": {"c": (both(10),)} for n in range(8)} | {"x": {"c": (single(0),)}}
    machine = {0: node(9, (0,), memory=(220, 130)), 1: node(8, (0, 1), memory=(220, 220))}

    assert ("", DIFFERENT) == verdicts(sealed("Static", machine, pods), two(220), LATEST)


@pytest.mark.parametrize(("pods", "possible"), [(["x", "x"], False), (["x", "y"], True)])
def test_containers_of_a_pod_are_replayed_together(pods: list[str], possible: bool) -> None:
    """Node 0 last written by a pod's one container, node 1 by the group: only where another pod comes in between."""
    held: dict[str, dict[str, tuple[Block, ...]]] = {"g": {"c": (both(10),)}}
    for node_id, uid in enumerate(pods):
        held.setdefault(uid, {})[f"c{node_id}"] = (single(node_id),)
    machine = {0: node(2, (0,), memory=(220, 200)), 1: node(2, (0, 1), memory=(220, 210))}

    assert possible == ("" in verdicts(sealed("Static", machine, held), two(220), LATEST))


def test_state_file_with_endless_orders_is_no_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better none than a part of what is allowed."""
    monkeypatch.setattr(orders, "MAX_WAYS", 7)
    pods = {f"p{n}": {"c": (both(10),)} for n in range(3)} | {"x": {"c": (single(0),)}}

    with pytest.raises(InputError, match="released in over 7 ways"):
        verdicts(sealed("Static", SPLIT.machine or {}, pods), two(220), LATEST)


# --- loading


def refusal(text: str, policy: str = "Static", minor: str = "1.36") -> str:
    """The kubelet's words between the frame that every such refusal has."""
    with pytest.raises(StartRefused) as caught:
        load(text, policy, behaviour_of(minor))
    said = str(caught.value)
    head = "could not restore state from checkpoint: "
    tail = (
        ", please drain this node and delete the memory manager checkpoint file "
        '"/var/lib/kubelet/memory_manager_state" before restarting Kubelet'
    )
    assert said.startswith(head)
    assert said.endswith(tail)
    return said[len(head) : -len(tail)]


def test_no_file_is_a_fresh_start() -> None:
    """4.4."""
    assert load(None, "Static", LATEST) is None


def test_file_of_another_policy_is_refused() -> None:
    """The configured one is named first; the file of policy None counts too."""
    assert '[memorymanager] configured policy "None" differs from state checkpoint policy "Static"' == refusal(
        encode(SPLIT), "None"
    )


def test_file_that_does_not_verify_is_refused() -> None:
    """Cut short, or with another checksum."""
    assert "unexpected end of JSON input" == refusal(encode(SPLIT)[:-1])
    assert "checkpoint is corrupted" == refusal(encode(replace(SPLIT, checksum=1)))


@pytest.mark.parametrize(("minor", "accepted"), [("1.35", False), ("1.36", True), ("1.37", True)])
def test_file_without_checksum(minor: str, accepted: bool) -> None:
    """Accepted without verification since 1.36."""
    bare = replace(SPLIT, checksum=0)
    if accepted:
        assert bare == load(encode(bare), "Static", behaviour_of(minor))
    else:
        assert "checkpoint is corrupted" == refusal(encode(bare), minor=minor)


@pytest.mark.parametrize(("minor", "accepted"), [("1.35", False), ("1.36", True)])
def test_checksum_with_the_newer_name_of_the_type(minor: str, accepted: bool) -> None:
    """1.36 takes the checksum over a dump that says `MemoryManagerCheckpointV1`, but never writes it (4.2)."""
    other = replace(SPLIT, checksum=checksum(SPLIT, TYPE_NAMES[1]))
    assert other.checksum != SPLIT.checksum
    if accepted:
        assert other == load(encode(other), "Static", behaviour_of(minor))
    else:
        assert "checkpoint is corrupted" == refusal(encode(other), minor=minor)


def test_older_file_is_read_by_137() -> None:
    """V1, and V3 whose data counts."""
    assert SPLIT == load(encode(SPLIT), "Static", behaviour_of("1.37"))
    newer = sealed("Static", SPLIT.machine or {}, SPLIT.entries, version=3)
    found = load(encode(newer), "Static", behaviour_of("1.37"))
    assert found
    assert (SPLIT.machine, SPLIT.entries) == (found.machine, found.entries)


def test_broken_v3_does_not_fall_back() -> None:
    """1.37: data that does not verify is refused although the outer fields would do."""
    newer = sealed("Static", SPLIT.machine or {}, SPLIT.entries, version=3)

    assert "could not load v3 checkpoint: checkpoint is corrupted" == refusal(
        encode(replace(newer, data_checksum=1)), minor="1.37"
    )


def test_adopted_state_is_the_files() -> None:
    """The split over the nodes is the file's, not the replay's."""
    state = adopt(SPLIT, two(220))

    assert SPLIT.machine == machine_of(state.books)
    assert SPLIT.entries == entries_of(state)

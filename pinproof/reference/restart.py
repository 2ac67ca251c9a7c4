"""What a kubelet makes of the state file when it starts (behaviour.md 4.4 to 4.6).

Load, compare the policy, build the books of today's empty machine, replay every block over them, and refuse to start if the
result is not what the file says. Rules:

* A missing file is a fresh start. A file that does not verify, or of another policy, is never overwritten: the kubelet ends
  and tells the operator to drain the node and delete it.
* Totals, reservations, groups and counts must match exactly. `free` and `reserved` must match summed over the node's group
  (1.32), or node by node (1.31 and older).
* The replay walks Go maps, pod by pod and container by container. With groups that overlap the order decides whether the
  kubelet starts; `verdicts` answers every outcome that some order has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pinproof.history import Block, Table
from pinproof.reference.behaviour import Behaviour
from pinproof.reference.books import Books, NodeBooks
from pinproof.reference.checkpoint import (
    TYPE_NAMES,
    Checkpoint,
    CheckpointNode,
    Corrupted,
    NullInside,
    Version,
    WrongType,
    checksum,
    data_checksum,
    decode,
    decode_data,
    encode,
    sealed,
)
from pinproof.reference.decisions import Reach, ignore
from pinproof.reference.orders import A_MAP_ENTRY, Part, in_any_order, order_is_free
from pinproof.reference.outcomes import NIL_POINTER, KubeletPanics, StartRefused
from pinproof.reference.static_policy import Entries, MemoryState, Share

STATE_FILE = "/var/lib/kubelet/memory_manager_state"

DIFFERENT = "[memorymanager] the expected machine state is different from the real one"
NO_STATE = "[memorymanager] machine state can not be empty when it has memory assignments"


def version_written(behaviour: Behaviour, *, pod_level_managers: bool) -> Version:
    """The format that a kubelet writes (4.2)."""
    return 2 if behaviour.checkpoint_format == 1 and pod_level_managers else behaviour.checkpoint_format


@dataclass(frozen=True, slots=True)
class Saved:
    """A state file that a kubelet wrote, as what is in it: its text is made only where somebody reads it."""

    policy: str
    memory: MemoryState
    version: Version

    def content(self) -> Checkpoint:
        """What is in the file, without checksums: they are right."""
        memory = self.memory
        return Checkpoint(self.policy, machine_of(memory.books), entries_of(memory), pod_entries=pod_entries_of(memory))

    def text(self) -> str:
        """The file to the byte."""
        memory, pods = self.memory, pod_entries_of(self.memory)
        machine, entries = machine_of(memory.books), entries_of(memory)
        return encode(sealed(self.policy, machine, entries, version=self.version, pod_entries=pods))


def text_of(disk: str | Saved | None) -> str:
    """The text of the state file; the empty text where there is none."""
    return disk.text() if isinstance(disk, Saved) else disk or ""


def load(
    disk: str | Saved | None,
    policy: str,
    behaviour: Behaviour,
    *,
    pod_level_managers: bool = False,
    reach: Reach = ignore,
) -> Checkpoint | None:
    """Read, verify and compare the policy; None where there is no file. StartRefused with the kubelet's words (4.4).

    Pod entries are those that the kubelet goes by: none without gate `PodLevelResourceManagers`.
    """
    if disk is None:
        reach("load.no-file")
        return None
    try:
        checkpoint = _read(disk, behaviour, pod_level_managers=pod_level_managers, reach=reach)
    except Corrupted as fault:
        raise unusable(str(fault)) from None
    if checkpoint.policy != policy:
        raise unusable(
            f'[memorymanager] configured policy "{policy}" differs from state checkpoint policy "{checkpoint.policy}"'
        )
    return checkpoint


def _read(disk: str | Saved, behaviour: Behaviour, *, pod_level_managers: bool, reach: Reach) -> Checkpoint:
    """What is on disk, verified; a kubelet that finds a file of its own kind cannot but agree with it."""
    if isinstance(disk, Saved) and disk.version == version_written(behaviour, pod_level_managers=pod_level_managers):
        reach("load.own-file")
        content = disk.content()
        return content if pod_level_managers else replace(content, pod_entries={})
    reach("load.file-of-another-kind" if isinstance(disk, Saved) else "load.text")
    return _verified(text_of(disk), behaviour, pod_level_managers=pod_level_managers, reach=reach)


def _verified(text: str, behaviour: Behaviour, *, pod_level_managers: bool, reach: Reach) -> Checkpoint:
    """Try the newest format that this kubelet reads, then the older ones."""
    try:
        checkpoint = decode(text)
    except WrongType as fault:
        raise Corrupted(_of_type(fault, behaviour)) from None
    except NullInside as fault:
        checkpoint = fault.rest
        if behaviour.checkpoint_format != 3 or not (checkpoint.data or checkpoint.data_checksum):
            if checkpoint.checksum == 0 and behaviour.accepts_unverified_checkpoint:
                raise KubeletPanics(NIL_POINTER) from None
            raise
    without_pods = replace(checkpoint, pod_entries={})
    if behaviour.checkpoint_format == 3 and (checkpoint.data or checkpoint.data_checksum):
        data = _data(checkpoint)
        if data_checksum(checkpoint.data or "") != checkpoint.data_checksum:
            raise Corrupted("could not load v3 checkpoint: checkpoint is corrupted")
        reach("load.format-3")
        return data if pod_level_managers else replace(data, pod_entries={})
    reads_v2 = pod_level_managers or behaviour.checkpoint_format == 3
    if reads_v2 and checkpoint.checksum == checksum(checkpoint, version=2):
        reach("load.format-2")
        return checkpoint if pod_level_managers else without_pods
    unverified = checkpoint.checksum == 0 and behaviour.accepts_unverified_checkpoint
    names = TYPE_NAMES if behaviour.accepts_checksum_of_v1_type and not pod_level_managers else TYPE_NAMES[:1]
    if not unverified and checkpoint.checksum not in {checksum(checkpoint, name) for name in names}:
        raise Corrupted("checkpoint is corrupted")
    reach("load.unverified" if unverified else "load.format-1")
    # 1.36 goes on with the pod entries that it met when it tried V2.
    return checkpoint if pod_level_managers and behaviour.checkpoint_format == 1 else without_pods


def _of_type(fault: WrongType, behaviour: Behaviour) -> str:
    """Go's words about a wrong type, which name the type that this release reads the file into."""
    if behaviour.checkpoint_format == 3 and fault.has_data:
        words = fault.within(prefix="MemoryManagerCheckpointV1.")
        return f"could not load v3 checkpoint: failed to deserialize memory manager checkpoint: {words}"
    return fault.within("MemoryManagerCheckpointV1" if behaviour.numbers_checkpoint_types else TYPE_NAMES[0])


def _data(checkpoint: Checkpoint) -> Checkpoint:
    """What a V3 file has in its `data`, which is read before its checksum is looked at."""
    try:
        return decode_data(checkpoint)
    except Corrupted as fault:
        words = fault.within("MemoryManagerCheckpointData") if isinstance(fault, WrongType) else str(fault)
        raise Corrupted(
            f"could not load v3 checkpoint: failed to deserialize memory manager checkpoint data: {words}"
        ) from None


def unusable(fault: str) -> StartRefused:
    """The words for a file that the kubelet cannot go by."""
    return StartRefused(
        f"could not restore state from checkpoint: {fault}, please drain this node and delete the memory manager "
        f'checkpoint file "{STATE_FILE}" before restarting Kubelet'
    )


# --- validation -----------------------------------------------------------------------------------------------------


def verdicts(checkpoint: Checkpoint, empty: Books, behaviour: Behaviour) -> tuple[str, ...]:
    """The outcomes that some replay order has: "" for a start, else the text of the refusal. Usually one (4.5).

    Raises:
        InputError: there are too many ways.
    """
    return tuple(chances(checkpoint, empty, behaviour))


def chances(checkpoint: Checkpoint, empty: Books, behaviour: Behaviour, reach: Reach = ignore) -> dict[str, float]:
    """The same outcomes, each with its part of all orders: pods in any order, and the containers of each.

    Raises as `verdicts` does.
    """
    if not checkpoint.machine:
        reach("validate.empty-machine-with-assignments" if checkpoint.entries else "validate.empty-machine")
        return {NO_STATE if checkpoint.entries else "": 1.0}
    pods = {
        uid: {container: blocks or () for container, blocks in (held or {}).items()}
        for uid, held in (checkpoint.entries or {}).items()
    }
    # A pod with blocks of its own counts once, and its containers not at all.
    pods |= {uid: {"": of_pod} for uid, of_pod in (checkpoint.pod_entries or {}).items() if of_pod and uid in pods}
    if faults := _faults(pods, empty):
        return faults
    every = [block for containers in pods.values() for blocks in containers.values() for block in blocks]
    if order_is_free(empty.mask_of(block.affinity) for block in every):
        ends = _of_container(every)(empty)
    else:
        reach("validate.order-matters")
        ends = in_any_order(empty, [_of_pod(containers.values()) for containers in pods.values()])
    found: dict[str, float] = {}
    for books, chance in ends.items():
        verdict = "" if _same(checkpoint, books, behaviour, reach) else DIFFERENT
        found[verdict] = found.get(verdict, 0.0) + chance
    if len(found) > 1:
        reach("validate.order-decides")
    return dict(sorted(found.items()))


def of_one_container(checkpoint: Checkpoint) -> bool:
    """Whether a file has the blocks of one container alone: nothing of its replay is left to Go's map order then."""
    return sum(len(held or {}) for held in (checkpoint.entries or {}).values()) == 1


def _faults(pods: Mapping[str, Mapping[str, Sequence[Block]]], empty: Books) -> dict[str, float]:
    """Blocks that are of no such machine: the text for every container, since any of them may be met first."""
    faults = [found for uid, containers in pods.items() if (found := _faults_of(uid, containers, empty))]
    return {text: chance / len(faults) for found in faults for text, chance in found.items()}


def _faults_of(uid: str, containers: Mapping[str, Sequence[Block]], empty: Books) -> dict[str, float]:
    """Which block of a container comes first is Go's map order, from when the container was allocated."""
    each = []
    for container, blocks in containers.items():
        where = f"[memorymanager] (pod: {uid}, container: {container}) the memory assignment uses "
        if texts := dict.fromkeys(where + fault for block in blocks if (fault := _fault(block, empty))):
            each.append(texts)
    return {text: (A_MAP_ENTRY if len(texts) > 1 else 1.0) / len(each) for texts in each for text in texts}


def _fault(block: Block, empty: Books) -> str:
    """Node by node: first whether it exists, then whether it has the type."""
    for node in block.affinity:
        if node not in empty.ids:
            return "the NUMA that does not exist"
        if block.type not in empty.types:
            return "memory resource that does not exist"
    return ""


def _of_pod(containers: Iterable[Sequence[Block]]) -> Part:
    parts = [_of_container(blocks) for blocks in containers]
    return lambda books: in_any_order(books, parts)


def _of_container(blocks: Sequence[Block]) -> Part:
    """A container's blocks are a list, so they are replayed in the order of the file."""

    def replay(books: Books) -> dict[Books, float]:
        for block in blocks:
            books = books.take(books.mask_of(block.affinity), block.type, block.size)
        return {books: 1.0}

    return replay


def _same(checkpoint: Checkpoint, expected: Books, behaviour: Behaviour, reach: Reach) -> bool:
    machine = checkpoint.machine or {}
    difference = _difference(machine, expected, behaviour)
    reach(f"validate.{difference}" if difference else "validate.agrees")
    return not difference


def _difference(machine: Mapping[int, CheckpointNode], expected: Books, behaviour: Behaviour) -> str:
    """What is not as the replay has it; empty where all is."""
    if set(machine) != set(expected.ids):
        return "other-nodes"
    for position, node_id in enumerate(expected.ids):
        ours, theirs = expected.nodes[position], machine[node_id]
        if theirs.number_of_assignments != ours.number_of_assignments:
            return "other-number-of-assignments"
        if sorted(theirs.cells or ()) != list(expected.ids_of(ours.group)):
            return "other-group"
        if set(theirs.memory or {}) != set(expected.types):
            return "other-types"
    differences = (_difference_of_type(machine, expected, column, behaviour) for column in range(len(expected.types)))
    return next(filter(None, differences), "")


def _difference_of_type(
    machine: Mapping[int, CheckpointNode], expected: Books, column: int, behaviour: Behaviour
) -> str:
    """How the books of one memory type differ, node by node or summed over each node's group."""
    theirs = {node_id: (machine[node_id].memory or {})[expected.types[column]] for node_id in expected.ids}
    ours = {node_id: node.tables[column] for node_id, node in zip(expected.ids, expected.nodes, strict=True)}
    for node_id in expected.ids:
        if _fixed(ours[node_id]) != _fixed(theirs[node_id]):
            return "other-totals"
        group = (machine[node_id].cells or ()) if behaviour.restart_compares_group_sums else (node_id,)
        if _moving(ours[n] for n in group) != _moving(theirs[n] for n in group):
            return "other-sums"
    return ""


def _moving(tables: Iterable[Table]) -> tuple[int, int]:
    free = reserved = 0
    for table in tables:
        free += table.free
        reserved += table.reserved
    return free, reserved


def _fixed(table: Table) -> tuple[int, int, int]:
    return table.total, table.system_reserved, table.allocatable


# --- between books and checkpoint -----------------------------------------------------------------------------------


def adopt(checkpoint: Checkpoint, empty: Books) -> MemoryState:
    """The memory manager's state as the (validated) file has it; per-node splits are the file's, not the replay's."""
    if not checkpoint.machine:
        return MemoryState(books=empty)
    nodes = tuple(
        NodeBooks(
            number_of_assignments=node.number_of_assignments,
            group=empty.mask_of(node.cells or ()),
            tables=tuple((node.memory or {})[memory_type] for memory_type in empty.types),
        )
        for node in (checkpoint.machine[node_id] for node_id in empty.ids)
    )
    books = Books(empty.ids, empty.types, nodes)
    entries: Entries = {
        uid: {
            c: tuple(Share(books.mask_of(b.affinity), b.type, b.size) for b in bs or ())
            for c, bs in (held or {}).items()
        }
        for uid, held in (checkpoint.entries or {}).items()
    }
    pods = {
        uid: tuple(Share(books.mask_of(b.affinity), b.type, b.size) for b in held or ())
        for uid, held in (checkpoint.pod_entries or {}).items()
    }
    return MemoryState(books=books, entries=entries, pods=pods)


def books_of(checkpoint: Checkpoint) -> Books:
    """Books of the machine that a file describes, whatever machine it is read on."""
    machine = checkpoint.machine or {}
    types = sorted({memory_type for node in machine.values() for memory_type in node.memory or ()})
    blank = NodeBooks(0, 0, (Table(0, 0, 0, 0, 0),) * len(types))
    return Books(tuple(sorted(machine)), tuple(types), (blank,) * len(machine))


def machine_of(books: Books) -> dict[int, CheckpointNode]:
    """The books as the file's `machineState`."""
    return {
        node_id: CheckpointNode(
            number_of_assignments=node.number_of_assignments,
            memory=dict(zip(books.types, node.tables, strict=True)),
            cells=books.ids_of(node.group),
        )
        for node_id, node in zip(books.ids, books.nodes, strict=True)
    }


def entries_of(state: MemoryState) -> dict[str, dict[str, tuple[Block, ...]]]:
    """The assignments as the file's `entries`."""
    return {
        uid: {c: tuple(Block(state.books.ids_of(s.mask), s.type, s.size) for s in shares) for c, shares in held.items()}
        for uid, held in state.entries.items()
    }


def pod_entries_of(state: MemoryState) -> dict[str, tuple[Block, ...]]:
    """The blocks of pods as a whole, as the file's `podEntries`."""
    return {
        uid: tuple(Block(state.books.ids_of(s.mask), s.type, s.size) for s in shares)
        for uid, shares in state.pods.items()
    }


NO_BOOKS = Books((), (), ())
"""The books before anything was read."""

"""I-1 to I-5: what every state file must say by itself.

Each takes one observation and is silent where the observation does not show what it needs. Books are judged as the
kubelet wrote them: memory of a removed pod is still there until the next admission, and is still counted here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pinproof.history import Block, NodeState, Observation, Table
from pinproof.judge.invariants.violation import Violation
from pinproof.judge.words import nodes, size

_WORD = 1 << 64
"""The kubelet counts in unsigned 64 bits; what wraps around is reported once, as more than the total."""


def books_balance(now: Observation) -> Iterator[Violation]:
    """I-1: free + reserved = allocatable = total - system reserved (- huge pages), nothing out of bounds."""
    for node, state in (now.machine or {}).items():
        huge = sum(table.total for type_, table in state.memory.items() if type_ != "memory")
        for type_, table in state.memory.items():
            if _is_sound(table, huge if type_ == "memory" else 0):
                continue
            path = f"machine.{node}.{type_}"
            yield from _bounds(path, table)
            if (table.free + table.reserved - table.allocatable) % _WORD:
                yield Violation(
                    "I-1",
                    f"{path}.allocatable",
                    f"free + reserved = {size(table.free + table.reserved)}",
                    size(table.allocatable),
                )
            due = table.total - table.system_reserved - (huge if type_ == "memory" else 0)
            if (due - table.allocatable) % _WORD:
                rule = "total - system reserved - huge pages" if type_ == "memory" else "total - system reserved"
                yield Violation("I-1", f"{path}.allocatable", f"{rule} = {size(due)}", size(table.allocatable))


def _is_sound(table: Table, huge: int) -> bool:
    """Whether all is well at first sight; what is not is looked at one by one."""
    due = table.total - table.system_reserved - huge
    return (
        due == table.allocatable == table.free + table.reserved
        and table.free >= 0
        and table.reserved >= 0
        and 0 <= table.system_reserved <= table.total
    )


def _bounds(path: str, table: Table) -> Iterator[Violation]:
    for name in ("system_reserved", "allocatable", "reserved", "free"):
        amount = getattr(table, name)
        if not 0 <= amount <= table.total:
            yield Violation("I-1", f"{path}.{name}", f"between 0 and the total of {size(table.total)}", size(amount))


def groups_are_disjoint(now: Observation) -> Iterator[Violation]:
    """I-2: every member of a group names the same members; a node without assignments is alone."""
    machine = now.machine or {}
    for node, state in machine.items():
        path = f"machine.{node}.cells"
        if node not in state.cells:
            yield Violation("I-2", path, f"a group that contains node {node}", nodes(state.cells))
        if not state.number_of_assignments and state.cells != (node,):
            yield Violation("I-2", path, f"{nodes((node,))}, since the node has no assignments", nodes(state.cells))
        for member in state.cells:
            theirs = machine[member].cells if member in machine else ()
            if set(theirs) != set(state.cells):
                yield Violation("I-2", path, f"the group that node {member} names, {nodes(theirs)}", nodes(state.cells))


def single_and_group_do_not_mix(now: Observation) -> Iterator[Violation]:
    """I-3: no node is in a single-node block and in a block of several nodes."""
    single: dict[int, Owned] = {}
    group: dict[int, Owned] = {}
    for owned in _owned(now):
        affinity = owned[2].affinity
        kind = single if len(affinity) == 1 else group
        for node in affinity:
            kind.setdefault(node, owned)
    for node in sorted(single.keys() & group.keys()):
        both = " and ".join(_told(owned) for owned in (single[node], group[node]))
        yield Violation("I-3", f"assignments on node {node}", "one kind of allocation", both)


def assignments_are_counted(now: Observation) -> Iterator[Violation]:
    """I-4: a node counts the blocks whose affinity contains it, empty ones and those that took nothing from it too."""
    if now.machine is None or now.assignments is None:
        return
    counted: dict[int, int] = {}
    for _, _, block in _owned(now):
        for node in block.affinity:
            counted[node] = counted.get(node, 0) + 1
    for node, state in now.machine.items():
        blocks = counted.get(node, 0)
        if state.number_of_assignments != blocks:
            yield Violation(
                "I-4",
                f"machine.{node}.number_of_assignments",
                f"{blocks}, the number of its blocks",
                str(state.number_of_assignments),
            )


def reserved_is_assigned(now: Observation) -> Iterator[Violation]:
    """I-5: reserved memory of a group is the sum of its blocks, by type.

    A group is here what the blocks connect, not what `cells` says, so that wrong cells (I-2) are not reported twice.
    """
    if now.machine is None or now.assignments is None:
        return
    for group, blocks in _connected(now.machine, [block for _, _, block in _owned(now)]):
        surplus: dict[str, int] = {}
        for node in group:
            if node in now.machine:
                for type_, table in now.machine[node].memory.items():
                    surplus[type_] = surplus.get(type_, 0) + table.reserved
        for block in blocks:
            surplus[block.type] = surplus.get(block.type, 0) - block.size
        for type_, difference in surplus.items():
            if difference:
                assigned = sum(block.size for block in blocks if block.type == type_)
                reserved = assigned + difference
                where = ",".join(map(str, group))
                yield Violation(
                    "I-5",
                    f"machine.{where}.{type_}.reserved",
                    f"{size(assigned)}, the sum of the blocks",
                    size(reserved),
                )


Owned = tuple[str, str, Block]
"""A recorded block after its pod and its container, which is empty for a block of the pod as a whole."""


def _owned(now: Observation) -> list[Owned]:
    """Every recorded block with its owner; of a pod with blocks of its own, those alone."""
    whole = now.pod_assignments or {}
    owned = [(pod, "", block) for pod, blocks in whole.items() for block in blocks]
    for pod, containers in (now.assignments or {}).items():
        if pod not in whole:
            owned += [(pod, container, block) for container, blocks in containers.items() for block in blocks]
    return owned


def _told(owned: Owned) -> str:
    pod, container, block = owned
    return f"{pod}/{container} on {nodes(block.affinity)}" if container else f"{pod} on {nodes(block.affinity)}"


def _connected(machine: Mapping[int, NodeState], blocks: list[Block]) -> list[tuple[tuple[int, ...], list[Block]]]:
    """The nodes, split into parts that no block reaches across, with the blocks of each."""
    parts: list[tuple[set[int], list[Block]]] = []
    for block in blocks:
        reach, together = set(block.affinity), [block]
        for part in [part for part in parts if not reach.isdisjoint(part[0])]:
            parts.remove(part)
            reach, together = reach | part[0], part[1] + together
        parts.append((reach, together))
    alone = set(machine).difference(*(members for members, _ in parts))
    parts += [({node}, []) for node in alone]
    return sorted((tuple(sorted(members)), together) for members, together in parts)


IN_EVERY_STATE: Mapping[str, Callable[[Observation], Iterator[Violation]]] = {
    "I-1": books_balance,
    "I-2": groups_are_disjoint,
    "I-3": single_and_group_do_not_mix,
    "I-4": assignments_are_counted,
    "I-5": reserved_is_assigned,
}
"""The invariants of one observation, by id."""

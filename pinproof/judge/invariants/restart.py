"""I-6: a restart with the state kept and nothing changed is a no-op.

Promised, whatever the order in which the pods are admitted again:

* the kubelet starts: it wrote the file itself, seconds ago, on the same machine;
* every pod that was admitted and alive stays admitted;
* app containers and sidecars of these pods keep exactly the blocks they had, and get no others;
* totals, system reservation and allocatable of every node stay as they are;
* if all recorded blocks are the same as before, so are the groups, the numbers of assignments, and the free and
  reserved sums of each group.

Not promised:

* how the memory of a group is split over its nodes: release and replay are greedy in another order (#127074);
* blocks of regular init containers: finished ones have none, and are allocated again until the next container of
  their pod starts (#123971);
* blocks of pods that were removed, rejected or have finished: they are collected by some later admission;
* groups, numbers and sums where such blocks have come or gone: I-1 to I-5 judge those on the new books alone.

A pod that is rejected because its finished init container no longer fits beside it does break the second promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinproof.history import Assignments, Block, NodeState, Observation
from pinproof.judge.course import Moment
from pinproof.judge.invariants.violation import Violation
from pinproof.judge.words import nodes, size, words
from pinproof.scenario.pod import Pod


def restart_changes_nothing(moment: Moment, live_before: Mapping[str, Pod]) -> Iterator[Violation]:
    """I-6, for an observation after a restart; `live_before` are the pods that were admitted and alive before it."""
    before, now = moment.before, moment.now
    if not moment.unchanged or moment.foreign or before is None or not before.running:
        return
    if not now.running:
        yield Violation("I-6", "running", "the kubelet starts again", f"it refuses: {now.refusal}")
        return
    yield from pods_stay("I-6", live_before, now)
    if before.assignments is not None and now.assignments is not None and before.assignments != now.assignments:
        kept = {name: pod for name, pod in live_before.items() if name in moment.live}
        yield from _blocks_stay(kept, before.assignments, now.assignments)
    if before.machine is not None and now.machine is not None and before.machine != now.machine:
        yield from _books_stay(before, now, before.machine, now.machine)


def pods_stay(invariant: str, live_before: Mapping[str, Pod], now: Observation) -> Iterator[Violation]:
    """Pods that ran before a start are admitted by it."""
    if now.pods is None:
        return
    for name in live_before:
        verdict = now.pods.get(name)
        if verdict is None or not verdict.admitted:
            seen = "the kubelet does not know it" if verdict is None else words("", verdict)
            yield Violation(invariant, f"pods.{name}", "admitted, as before the restart", seen)


def _blocks_stay(pods: Mapping[str, Pod], before: Assignments, now: Assignments) -> Iterator[Violation]:
    for name, pod in pods.items():
        for container in pod.all_containers:
            if container in pod.init_containers and not container.restart_always:
                continue
            had = _blocks(before, name, container.name)
            has = _blocks(now, name, container.name)
            if had != has:
                yield Violation(
                    "I-6",
                    f"assignments.{name}.{container.name}",
                    f"{words('', had)}, as before the restart",
                    words("", has),
                )


def _blocks(assignments: Assignments, pod: str, container: str) -> tuple[Block, ...]:
    return tuple(sorted(assignments.get(pod, {}).get(container, ())))


def _books_stay(
    before: Observation, now: Observation, had: Mapping[int, NodeState], has: Mapping[int, NodeState]
) -> Iterator[Violation]:
    if had.keys() != has.keys():
        yield Violation("I-6", "machine", f"nodes {nodes(tuple(sorted(had)))}", f"nodes {nodes(tuple(sorted(has)))}")
        return
    same_blocks = _all_blocks(before.assignments) == _all_blocks(now.assignments)
    for node in had:
        yield from _constants_stay(node, had[node], has[node])
        if same_blocks:
            yield from _group_stays(node, had, has)


def _all_blocks(assignments: Assignments | None) -> dict[tuple[str, str], tuple[Block, ...]] | None:
    if assignments is None:
        return None
    return {(pod, name): _blocks(assignments, pod, name) for pod in assignments for name in assignments[pod]}


def _constants_stay(node: int, had: NodeState, has: NodeState) -> Iterator[Violation]:
    for type_ in sorted(had.memory.keys() | has.memory.keys()):
        was, is_ = had.memory.get(type_), has.memory.get(type_)
        if was is None or is_ is None:
            yield Violation("I-6", f"machine.{node}.{type_}", "the same memory types as before", "others")
            continue
        for name in ("total", "system_reserved", "allocatable"):
            if getattr(was, name) != getattr(is_, name):
                path = f"machine.{node}.{type_}.{name}"
                yield Violation("I-6", path, f"{size(getattr(was, name))}, as before", size(getattr(is_, name)))


def _group_stays(node: int, had: Mapping[int, NodeState], has: Mapping[int, NodeState]) -> Iterator[Violation]:
    was, is_ = had[node], has[node]
    if set(was.cells) != set(is_.cells):
        yield Violation("I-6", f"machine.{node}.cells", f"{nodes(was.cells)}, as before", nodes(is_.cells))
        return
    if was.number_of_assignments != is_.number_of_assignments:
        path = f"machine.{node}.number_of_assignments"
        yield Violation("I-6", path, f"{was.number_of_assignments}, as before", str(is_.number_of_assignments))
    if was.cells[:1] != (node,):
        return  # the sums of a group are told once, at its first node
    for type_ in sorted(was.memory.keys() & is_.memory.keys()):
        for name in ("free", "reserved"):
            then, since = (
                sum(getattr(books[member].memory[type_], name) for member in was.cells if member in books)
                for books in (had, has)
            )
            if then != since:
                where = ",".join(map(str, was.cells))
                yield Violation("I-6", f"machine.{where}.{type_}.{name}", f"{size(then)}, as before", size(since))

"""Pods that arrived together: some order, one after the other, must explain what was seen.

A kubelet admits one pod at a time, in an order that nobody outside knows. The reference is asked for it: from the state before
the step it admits the pods one by one, depth first, and a beginning is given up as soon as the verdict, blocks or CPUs of a pod
are not those that were seen. Beginnings with the same pods and the same books have the same ends, so one that failed is not
tried again; and a pod that is rejected as it was seen to be, and leaves no trace, may as well come now as later. Twenty pods have
2·10¹⁸ orders, and the search takes some hundred admissions.

What a step left behind is seen in full, so the first order that explains a step is taken, and the next step goes on from it.
Where an order explains all these and yet something differs, the judge tells what: with all blocks given, books and
counters are the same in every order, but for what a rejected pod leaves behind until the next one comes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from pinproof.history import Block, History, Observation, Prediction
from pinproof.judge.compare import compare
from pinproof.judge.serial import SerialOrder
from pinproof.reference.behaviour import Behaviour
from pinproof.reference.cpu_picker import listed
from pinproof.reference.model import Script
from pinproof.reference.node import Node
from pinproof.reference.outcomes import KubeletPanics
from pinproof.reference.resident import Resident
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import AdmitTogether, Scenario, Step
from pinproof.subjects.protocol import Capabilities

MOST_ADMISSIONS = 50_000
"""That are tried for one step, in ten seconds or so. There is no verdict where an order may still be found."""


def serial_order(
    scenario: Scenario, observed: History, behaviour: Behaviour, capabilities: Capabilities
) -> SerialOrder:
    """Find an order for every step in which pods arrived together.

    Raises:
        InputError: the reference does not predict the scenario.
    """
    node = Node(scenario.machine, scenario.kubelet, behaviour, Script(()), texts=False)
    way, tried = _Way(node), 0
    for index, (step, seen) in enumerate(zip((None, *scenario.steps), observed.observations, strict=False)):
        if isinstance(step, AdmitTogether) and seen.running and way.node.settings is not None:
            search = _Search(seen, capabilities)
            found = search.order(way, step.pods)
            tried += search.tried
            if found is None:
                longest, gave_up = search.longest, search.tried >= MOST_ADMISSIONS
                return SerialOrder(way.choices, tried, index, len(step.pods), longest, gave_up)
            way = found
        else:
            ways = list(way.after(_act(step)))
            way = next((each for each, now in ways if not _differs(now, seen, capabilities)), ways[0][0])
    return SerialOrder(way.choices, tried)


@dataclass(frozen=True, slots=True)
class _Way:
    """The reference at some point, and the choices that led there."""

    node: Node
    choices: tuple[int, ...] = ()

    def after(self, act: Callable[[Node], Observation]) -> Iterator[tuple[_Way, Observation]]:
        """All that may come of something, with what is seen then."""
        scripts: list[tuple[int, ...]] = [()]
        while scripts:
            script = Script(scripts.pop())
            node = self.node.fork(script)
            now = act(node)
            yield _Way(node, (*self.choices, *script.made)), now
            scripts += script.others


@dataclass(slots=True)
class _Search:
    """The search for the order in one step."""

    seen: Observation
    """After the step."""

    capabilities: Capabilities
    tried: int = 0
    longest: tuple[str, ...] = ()
    _none_rejected: bool = False
    _complete: _Way | None = None
    """The first that explains every verdict, all blocks and CPUs."""

    _dead: set[Hashable] = field(default_factory=set)
    """States of the reference from which nothing leads to what was seen."""

    def order(self, way: _Way, pods: tuple[Pod, ...]) -> _Way | None:
        """The way after all of them were admitted, in an order that explains what was seen."""
        self._none_rejected = all(map(self._is_admitted, pods))
        first = way.node.last_arrival + 1
        found = self._rest(way, dict(enumerate(pods, first)), ()) or self._complete
        return found and _Way(found.node.fork(Script(())), found.choices)

    def _rest(self, way: _Way, waiting: dict[int, Pod], begun: tuple[str, ...]) -> _Way | None:
        if len(begun) > len(self.longest):
            self.longest = begun
        if not waiting:
            self._complete = self._complete or way
            return next((end for end, now in way.after(_nothing) if self._explains(now)), None)
        state = self._state(way.node, waiting)
        if state in self._dead or self._in_vain():
            return None
        for position, number in sorted(enumerate(waiting), key=lambda turn: self._is_admitted(waiting[turn[1]])):
            pod, left = waiting[number], {other: each for other, each in waiting.items() if other != number}
            chosen = _Way(way.node, (*way.choices, position) if left else way.choices)
            for after in self._admitted(chosen, pod, number):
                found = self._rest(after, left, (*begun, pod.name))
                if found or self._in_vain() or _is_as_well_now(pod, way.node, after.node):
                    return found
        self._dead.add(state)
        return None

    def _is_admitted(self, pod: Pod) -> bool:
        verdict = (self.seen.pods or {}).get(pod.name)
        return verdict is not None and verdict.admitted

    def _in_vain(self) -> bool:
        """Whether there is no use in going on: the limit is reached, or every order comes to the same."""
        return self.tried >= MOST_ADMISSIONS or (self._complete is not None and self._none_rejected)

    def _admitted(self, way: _Way, pod: Pod, number: int) -> Iterator[_Way]:
        """What may come of the pod as the next one, as far as it was seen to come."""
        scripts: list[tuple[int, ...]] = [()]
        while scripts:
            script = Script(scripts.pop())
            node = way.node.fork(script)
            self.tried += 1
            try:
                node.arrive(pod, number)
            except KubeletPanics:
                return  # and the kubelet runs
            scripts += script.others
            if self._fits(node, pod):
                yield _Way(node, (*way.choices, *script.made))

    def _fits(self, node: Node, pod: Pod) -> bool:
        """Whether verdict, blocks and CPUs of a pod that was admitted last are those that it has in the end."""
        resident = node.residents[pod.name]
        if self.seen.pods is not None and self.seen.pods.get(pod.name) != resident.verdict:
            return False
        if not resident.verdict.admitted:
            return True
        return self._has_blocks(node, resident) and self._has_cpus(node, resident)

    def _has_blocks(self, node: Node, resident: Resident) -> bool:
        if self.seen.assignments is None:
            return True
        ids, held = node.managers.memory.books.ids_of, node.managers.memory.entries.get(resident.uid, {})
        blocks = {
            name: tuple(sorted(Block(ids(share.mask), share.type, share.size) for share in shares))
            for name, shares in held.items()
        }
        seen = self.seen.assignments.get(resident.pod.name, {})
        return blocks == {name: tuple(sorted(those)) for name, those in seen.items()}

    def _has_cpus(self, node: Node, resident: Resident) -> bool:
        if self.seen.cpu is None:
            return True
        held = node.managers.cpu.entries.get(resident.uid, {})
        return {name: listed(cpus) for name, cpus in held.items()} == self.seen.cpu.entries.get(resident.pod.name, {})

    def _explains(self, now: Observation) -> bool:
        return not _differs(now, self.seen, self.capabilities)

    @staticmethod
    def _state(node: Node, waiting: dict[int, Pod]) -> Hashable:
        """What comes of the pods that wait depends on these, since every pod before has what it was seen to have."""
        cpus = {uid: tuple(held.items()) for uid, held in node.managers.cpu.entries.items()}
        counters = tuple(sorted(node.counters.items()))
        return frozenset(waiting), node.managers.memory.books, frozenset(cpus.items()), counters


def _act(step: Step | None) -> Callable[[Node], Observation]:
    """What a node does in a step; None is its start."""
    return lambda node: node.start() if step is None else node.carry_out(step)


def _is_as_well_now(pod: Pod, before: Node, after: Node) -> bool:
    """Whether a pod that was rejected may as well have come now: it left no trace in the books.

    With several containers it matters when it comes: how many of them were asked for is in the counters.
    """
    was, now = before.managers, after.managers
    if len(pod.all_containers) > 1 or (was.memory.books, was.cpu) != (now.memory.books, now.cpu):
        return False
    return was.memory.entries == now.memory.entries


def _nothing(node: Node) -> Observation:
    return node.carry_out(AdmitTogether(()))


def _differs(now: Observation, seen: Observation, capabilities: Capabilities) -> bool:
    return bool(compare(Prediction((History("", (now,)),)), History("", (seen,)), capabilities))

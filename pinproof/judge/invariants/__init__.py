"""What holds for every kubelet, whatever its release: an oracle that needs no model.

>>> INVARIANTS["I-3"].since
'1.32'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinproof.history import History, Observation
from pinproof.judge.course import Moment, course
from pinproof.judge.invariants.answers import Answer, Known, answers_of, same_answer
from pinproof.judge.invariants.books import IN_EVERY_STATE
from pinproof.judge.invariants.enforced import kernel_enforces_what_was_told
from pinproof.judge.invariants.life import killed_kubelet_starts_again, no_pod_ends_the_kubelet
from pinproof.judge.invariants.lying import memory_lies_where_promised
from pinproof.judge.invariants.reported import (
    containers_are_told_their_nodes,
    counters_follow_admissions,
    pod_resources_show_blocks,
)
from pinproof.judge.invariants.restart import restart_changes_nothing
from pinproof.judge.invariants.violation import INVARIANTS, Invariant, Violation
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Scenario

__all__ = [
    "INVARIANTS",
    "Answer",
    "Invariant",
    "Known",
    "Violation",
    "answers_of",
    "same_answer",
    "violations",
]


def violations(scenario: Scenario, observed: History) -> Iterator[tuple[int, Violation]]:
    """(index of the observation, violation) of I-1 to I-7 and I-9 to I-12 in a history.

    Books are judged while the kubelet runs and the file is its own: what a scenario wrote into the file is no promise.
    What is wrong with a state is told when it comes up, not again after every step for as long as it stays.
    """
    live_before: Mapping[str, Pod] = {}
    ran_before: Mapping[str, Pod] = {}
    standing: set[Violation] = set()
    books = _Books()
    for moment in course(scenario, observed):
        states = dict.fromkeys(_of_state(moment, books))
        yield from ((moment.index, violation) for violation in states if violation not in standing)
        yield from ((moment.index, violation) for violation in _of_step(moment, live_before))
        here = {name: pod for name, pod in ran_before.items() if name in live_before}
        yield from ((moment.index, violation) for violation in killed_kubelet_starts_again(moment, here))
        ran_before = moment.live if moment.now.running else ran_before
        standing = set(states) if moment.now.running else standing
        live_before = moment.live


class _Books:
    """What is wrong with the books of a history; they are looked at again only where they changed."""

    def __init__(self) -> None:
        self._judged: object = None
        self._found: tuple[Violation, ...] = ()

    def violations(self, now: Observation) -> tuple[Violation, ...]:
        """I-1 to I-5 of an observation, from its machine state and its blocks alone."""
        books = (now.machine, now.assignments, now.pod_assignments)
        if books != self._judged:
            self._judged = books
            self._found = tuple(found for check in IN_EVERY_STATE.values() for found in check(now))
        return self._found


def _of_state(moment: Moment, books: _Books) -> Iterator[Violation]:
    """What is wrong with what the node is like."""
    if moment.now.running and not moment.foreign:
        yield from books.violations(moment.now)
    yield from pod_resources_show_blocks(moment)
    yield from kernel_enforces_what_was_told(moment)


def _of_step(moment: Moment, live_before: Mapping[str, Pod]) -> Iterator[Violation]:
    """What is wrong with what has just happened."""
    yield from no_pod_ends_the_kubelet(moment)
    yield from restart_changes_nothing(moment, live_before)
    yield from containers_are_told_their_nodes(moment)
    yield from counters_follow_admissions(moment)
    yield from memory_lies_where_promised(moment)

"""Restarts of a scenario carried out: every prefix, every order, every state of the file, on one subject.

What each restart shows is judged as any scenario is; beside that the outcomes are gathered, for literal expectations and for a
table of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from pinproof.history import History
from pinproof.permutations.changes import CHANGES
from pinproof.permutations.damage import STATES
from pinproof.permutations.outcomes import Permuted, Result, outcome_of
from pinproof.permutations.trials import Course, alone, courses, trials
from pinproof.running.examine import Proof, predicted
from pinproof.running.prove import Prove
from pinproof.running.seen import NotObservableError
from pinproof.running.steps import Planned, planned
from pinproof.scenario.steps import Scenario, Step
from pinproof.subjects.protocol import ADMIT_HINTS

REMEMBERED = 4096
"""Predictions that are kept: what leads to the restarts of one prefix is the same for all of them."""


def permute(
    prove: Prove,
    *steps: Step | Planned,
    states: Sequence[str] = STATES,
    changes: Sequence[str] = CHANGES[:1],
    prefixes: Sequence[int] | None = None,
    exhaustive: bool = False,
) -> Permuted:
    """Restart after every prefix of the steps, and tell the outcomes in a table of the report.

    Args:
        prove: of the case.
        steps: the scenario, as for `prove`.
        states: what may become of the state file, of `pinproof.permutations.STATES`.
        changes: what may become of the pods, of `pinproof.permutations.CHANGES`.
        prefixes: take only those of so many steps.
        exhaustive: every restart on a node of its own, and every order also where the kubelet refuses to start. Else
            restarts that do not disturb each other share a node.

    Raises:
        CaptureError: there is no verdict on one of them.
        NotObservableError: a process that has to be booted is asked for all of them.
    """
    if exhaustive and ADMIT_HINTS not in prove.subject.capabilities.steps:
        raise NotObservableError(f"{prove.subject.name} takes too long for every restart on a node of its own")
    scenario, predict = prove.scenario(*planned(steps, prove.machine)), prediction(prove.minor)
    every = trials(
        scenario, predict, states=tuple(states), changes_=tuple(changes), prefixes=prefixes, thrifty=not exhaustive
    )
    found = Permuted()
    for course in map(alone, every) if exhaustive else courses(every, predict):
        found.results += results(course, prove.examined(course.scenario))
    prove.tables.append(found.table(f"{found.restarts} restarts"))
    return found


def prediction(minor: str) -> Callable[[Scenario], Sequence[History]]:
    """The reference of a minor, with a memory."""

    @lru_cache(maxsize=REMEMBERED)
    def predict(scenario: Scenario) -> Sequence[History]:
        return predicted(scenario, minor).histories

    return predict


def results(course: Course, proof: Proof) -> Iterator[Result]:
    """The outcomes of a course; a history that ended early tells less."""
    seen = proof.observed.observations
    for trial, index in course.trials:
        if index < len(seen):
            yield Result(trial, outcome_of(seen[trial.before], seen[index], trial.order))

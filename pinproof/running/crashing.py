"""A scenario with its kubelet killed at every point, carried out on one subject.

Each scenario is judged as any is; beside that the outcomes are gathered, for literal expectations and for a table of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from pinproof.history import Observation
from pinproof.permutations.crashes import (
    WRITES,
    Crashed,
    Kill,
    Killed,
    Place,
    aftermath,
    interruptible,
    kills,
    unharmed,
    was_killed,
    words,
)
from pinproof.running.examine import Proof
from pinproof.running.prove import Prove
from pinproof.running.steps import Planned, planned
from pinproof.scenario.steps import Scenario, Step


def crash_everywhere(prove: Prove, *steps: Step | Planned, places: Sequence[Place] = WRITES) -> Crashed:
    """Kill the kubelet at every point of every step, and tell the outcomes in a table of the report.

    Args:
        prove: of the case.
        steps: the scenario, as for `prove`.
        places: what it is killed at: writes of these files, calls of these methods.

    Raises:
        CaptureError: there is no verdict on one of the scenarios.
        NotObservableError: the subject cannot be killed at a point.
    """
    scenario = prove.scenario(*planned(steps, prove.machine))
    found = crashed(scenario, prove.examined, places)
    prove.tables.append(found.table(f"{found.points} points at which the kubelet was killed"))
    return found


def crashed(scenario: Scenario, examined: Callable[[Scenario], Proof], places: Sequence[Place] = WRITES) -> Crashed:
    """The outcomes of all points of a scenario; raises what `examined` does."""
    plain = examined(scenario).observed.observations

    @cache
    def restarted(number: int) -> Observation:
        return examined(unharmed(scenario, number)).observed.observations[-1]

    def attempt(kill: Kill) -> Killed | None:
        seen = examined(kill.scenario).observed.observations
        if len(seen) < kill.step + 2 or not was_killed(seen[kill.step]):
            return None
        return Killed(kill, aftermath(restarted(kill.step), seen[kill.step + 1]))

    interrupted = {number: words(step) for number, step in interruptible(scenario, plain)}
    return Crashed(interrupted, tuple(places), list(kills(scenario, plain, places, attempt)))

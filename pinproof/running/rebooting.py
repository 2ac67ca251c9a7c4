"""One node started again and again with its state kept, each time on another machine or with another configuration.

A kubelet that refuses to start leaves the node as it is, and one that starts with the same books does too, so that dozens of
changes cost one node. At the end it is started as it was at first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pinproof.permutations.outcomes import Outcome, outcome_of
from pinproof.report.result import Table
from pinproof.running.prove import Prove
from pinproof.running.steps import PlannedRestart, restart
from pinproof.scenario.steps import Step

AS_IT_WAS: Final = "as it was"
"""The last start: the machine and the configuration of the case."""


def reboots(prove: Prove, *steps: Step, changes: Mapping[str, PlannedRestart]) -> dict[str, Outcome]:
    """Start the kubelet once with each change; a table of the report tells what it made of it.

    Args:
        prove: of the case.
        steps: what happens before; the kubelet must run and its pods must stay.
        changes: name → restart. What it leaves open is as in the case, not as in the change before.

    Returns:
        Name → `as before`, the pods that are otherwise, or the refusal; `AS_IT_WAS` for the start without a change.

    Raises:
        CaptureError: there is no verdict.
    """
    starts = {name: _whole(prove, change) for name, change in (*changes.items(), (AS_IT_WAS, restart()))}
    seen = prove(*steps, *starts.values())
    before = seen.observation(len(steps))
    pods = tuple(before.pods or {})
    outcomes = {
        name: outcome_of(before, seen.observation(index), pods) for index, name in enumerate(starts, len(steps) + 1)
    }
    title = f"{len(steps)} steps, then {len(starts)} starts"
    prove.tables.append(Table(title, ("change between two starts", "outcome"), tuple(outcomes.items())))
    return outcomes


def _whole(prove: Prove, change: PlannedRestart) -> PlannedRestart:
    """The change with everything else as in the case."""
    return replace(change, machine=change.machine or prove.machine, kubelet=change.kubelet or prove.configuration)

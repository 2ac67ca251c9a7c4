"""The verdict on one history: two oracles, never mixed.

* *modelled*: the subject does what its release is known to do, defects included (`compare.py`, `state_file.py`).
* *required*: the subject keeps what no release may break (`invariants/`). The model is not asked, so a release that
  does exactly what its model says can still be found wanting; the ledger is the place for that.

An incomplete history has no verdict but `unknown`, whatever was found in it, and so has one that lacks what its
subject claims to show. A checker that raises is `unknown` as well: a bug of pinproof is never a pass and never a
kubelet's fault.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pinproof.history import History, Outcome, Prediction
from pinproof.judge.compare import Difference, closest, coverage, missing
from pinproof.judge.invariants import INVARIANTS, violations
from pinproof.judge.state_file import state_file_differences
from pinproof.judge.words import words
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Capabilities

NOTES_SHOWN = 60
"""Lines of notes that a finding carries; sixteen nodes have 65 535 masks."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words for people."""

    oracle: Literal["required", "modelled"]
    requirement: str
    """Id of the invariant; empty for a difference from the model, which belongs to the requirements of the case."""

    step: int
    """Index of the observation: 0 is the start of the kubelet, n is after the n-th step."""

    path: str
    """Where in the observation, such as `machine.0.memory.free`."""

    expected: str
    seen: str
    explanation: str
    """The invariant's sentence, or the decisions of the model that led to what it expects."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge says of one history."""

    findings: tuple[Finding, ...]
    """By step; within a step what is required first."""

    compared: tuple[str, ...]
    """Fields that were compared with the model at least once."""

    not_compared: Mapping[str, str] = field(default_factory=dict)
    """Field → why it was never compared."""

    trouble: str = ""
    """Why there is no verdict; empty when there is one."""

    @property
    def outcome(self) -> Outcome:
        """`unknown` with trouble, else `failed` with findings, else `passed`."""
        if self.trouble:
            return "unknown"
        return "failed" if self.findings else "passed"


def judge(scenario: Scenario, prediction: Prediction, observed: History, capabilities: Capabilities) -> Judgement:
    """Judge a history by both oracles. Never raises: what went wrong while judging is the judgement's `trouble`."""
    try:
        return _judge(scenario, prediction, observed, capabilities)
    except Exception:  # noqa: BLE001  # whatever a checker raises is an unknown verdict, by V2 of the verdict rules
        return Judgement(
            (), (), trouble=f"the judge itself failed, which is a bug of pinproof\n{traceback.format_exc()}"
        )


def _judge(scenario: Scenario, prediction: Prediction, observed: History, capabilities: Capabilities) -> Judgement:
    predicted, differences = closest(prediction, observed, capabilities)
    compared, not_compared = coverage(predicted, observed, capabilities)
    findings = [*_required(scenario, observed), *_modelled(predicted, differences)]
    if "state_file" in capabilities.observables:
        findings += _modelled(predicted, tuple(state_file_differences(scenario, observed, predicted)))
    gaps = missing(predicted, observed, capabilities)
    return Judgement(
        findings=tuple(sorted(findings, key=lambda finding: (finding.step, finding.oracle == "modelled"))),
        compared=compared,
        not_compared=not_compared,
        trouble=_trouble(observed, gaps),
    )


def _trouble(observed: History, gaps: tuple[tuple[int, str], ...]) -> str:
    if not observed.complete:
        return observed.trouble or "the capture ended early"
    if gaps:
        return "not captured: " + ", ".join(f"{name} after step {step}" for step, name in gaps)
    return ""


def _required(scenario: Scenario, observed: History) -> Iterator[Finding]:
    for step, found in violations(scenario, observed):
        invariant = INVARIANTS[found.invariant]
        since = f" Kept since {invariant.since}." if invariant.since else ""
        explanation = f"{invariant.sentence}{since} Source: {invariant.source}."
        yield Finding("required", invariant.id, step, found.path, found.expected, found.seen, explanation)


def _modelled(predicted: History, differences: tuple[Difference, ...]) -> Iterator[Finding]:
    for found in differences:
        yield Finding(
            "modelled",
            "",
            found.step,
            found.path,
            words(found.path, found.expected),
            words(found.path, found.seen),
            explain(predicted, found.step),
        )


def explain(predicted: History, step: int) -> str:
    """The decisions of the model that led to what it expects after a step, a line each."""
    if step >= len(predicted.observations):
        return ""
    lines = [f"{note.topic}: {note.text}" for note in predicted.observations[step].notes]
    if len(lines) > NOTES_SHOWN:
        lines[NOTES_SHOWN:] = [f"… and {len(lines) - NOTES_SHOWN} more"]
    return "\n".join(lines)

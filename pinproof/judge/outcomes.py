"""Where Kubernetes leaves an outcome to Go's map order: what a subject showed over many runs, against all that is allowed.

A subject that can repeat a scenario in orders of its own choosing must show every allowed outcome, and nothing else. How
often it repeats follows from the reference, which knows how many outcomes there are and which part of all orders leads to
each. An outcome with chance p is missed in n runs with probability (1 - p)ⁿ; for k outcomes together that is at most
k · (1 - p)ⁿ with the least p, and n is the smallest number that brings it under one in a million.

>>> repeats(Prediction((), (0.5, 0.5))), repeats(Prediction((), (1 / 6, 5 / 6))), repeats(Prediction((), (1.0,)))
(21, 80, 1)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pinproof.history import History, Observation, Prediction
from pinproof.judge.compare import COMPARED, compare
from pinproof.judge.verdict import Finding, Judgement, explain, judge
from pinproof.judge.words import words
from pinproof.scenario.steps import Restart, Scenario
from pinproof.subjects.protocol import Capabilities

RISK = 1 / 1_000_000
"""Of having missed an outcome that the subject has. One in a thousand would do for a case; a campaign meets thousands."""

MOST_REPEATS = 2_000
"""A scenario whose rarest outcome wants more is not judged by what it does not show; it is run `FEW_REPEATS` times."""

FEW_REPEATS = 100


def repeats(prediction: Prediction) -> int:
    """How many runs it takes to see every allowed outcome but for `RISK`, or `FEW_REPEATS` where it takes too many."""
    wanted = _wanted(prediction)
    return wanted if wanted <= MOST_REPEATS else FEW_REPEATS


def _wanted(prediction: Prediction) -> int:
    known = prediction.chances or (1 / max(1, len(prediction.histories)),) * len(prediction.histories)
    least = min(known, default=1.0)
    return 1 if least >= 1 else math.ceil(math.log(RISK / len(known)) / math.log1p(-least))


def judge_outcomes(
    scenario: Scenario,
    prediction: Prediction,
    histories: Sequence[History],
    capabilities: Capabilities,
    *,
    repeat: int,
) -> Judgement:
    """Judge the distinct histories of so many runs: each by itself, and all of them against the allowed ones.

    Where the runs were fewer than `repeats` asks for, nothing is said of an outcome that was not seen. Nor is it of one that
    an admission decides: the order of a map that grew inside the process is Go's alone, which turns small maps round and
    does not shuffle them; only the order of a state file is ours to choose.
    """
    each = [judge(scenario, prediction, history, capabilities) for history in histories]
    findings = list(dict.fromkeys(finding for judgement in each for finding in judgement.findings))
    trouble = next((judgement.trouble for judgement in each if judgement.trouble), "")
    if not trouble and repeat >= _wanted(prediction):
        findings += [
            finding
            for finding in _unseen(prediction, histories, capabilities, repeat)
            if finding.step > 0 and isinstance(scenario.steps[finding.step - 1], Restart)
        ]
    findings.sort(key=lambda finding: (finding.step, finding.oracle == "modelled"))
    return replace(each[0], findings=tuple(findings), trouble=trouble)


def _unseen(
    prediction: Prediction, histories: Sequence[History], capabilities: Capabilities, repeat: int
) -> Iterator[Finding]:
    """The allowed outcomes that no run showed."""
    allowed = prediction.histories
    seen = [any(not compare(Prediction((each,)), shown, capabilities) for shown in histories) for each in allowed]
    for outcome, shown in zip(allowed, seen, strict=True):
        if shown:
            continue
        step = max((_parting(outcome, other) for other in allowed if other is not outcome), default=0)
        yield Finding(
            "modelled",
            "",
            step,
            "outcomes",
            f"also {_told(outcome.observations[step])}",
            f"never in {repeat} runs, each with the state file in another order",
            explain(outcome, step),
        )


def _parting(one: History, other: History) -> int:
    """Index of the first observation in which two histories differ."""
    pairs = zip(one.observations, other.observations, strict=False)
    return next((step for step, (a, b) in enumerate(pairs) if _shown(a) != _shown(b)), 0)


def _shown(observation: Observation) -> list[object]:
    return [observation.running, *(getattr(observation, name) for name in COMPARED)]


def _told(observation: Observation) -> str:
    if not observation.running:
        return f"a kubelet that does not run: {observation.refusal}"
    return f"a kubelet that runs, with pods {words('pods', observation.pods or {})}"

"""Outcomes, how they merge, and the exit code of a run.

* `merge` is the least upper bound of a total order, hence total, commutative, associative and idempotent. From best to
  worst: `passed`, `expected_failure`, `not_run`, `unknown`, `unexpected_pass`, `failed`, `error`. `not_applicable` is
  neutral: it is the answer only when there is nothing else.
* `unexpected_pass` weighs as much as `failed`; a mixture of both reads `failed`, so that the order of cases is nothing.
* No outcome but `passed` and `expected_failure` can end in exit code 0, and neither can a run in which nothing passed.

>>> merge(["passed", "not_applicable", "unknown"])
'unknown'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pinproof.history import Outcome

ORDER: tuple[Outcome, ...] = (
    "not_applicable",
    "passed",
    "expected_failure",
    "not_run",
    "unknown",
    "unexpected_pass",
    "failed",
    "error",
)
"""From neutral to worst."""

_RANK = {outcome: rank for rank, outcome in enumerate(ORDER)}

EXECUTED: frozenset[Outcome] = frozenset(
    {"passed", "expected_failure", "unknown", "unexpected_pass", "failed", "error"},
)
"""Outcomes of cases that really ran."""

EXIT_CLEAN = 0
EXIT_FAILED = 1
EXIT_INCOMPLETE = 10
EXIT_LEDGER = 11
EXIT_SUBJECT = 12


def merge(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of the outcomes; `not_applicable` of none."""
    return max(outcomes, key=_RANK.__getitem__, default="not_applicable")


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What the exit code of a run is decided from."""

    outcomes: Mapping[Outcome, int]
    """Outcome → number of cases."""

    expected: int
    """Cases that the run was to execute, those included that turned out `not_applicable`."""

    stale_ledger: tuple[str, ...] = field(default=())
    """Ledger entries that matched nothing."""

    subject_trouble: str = ""
    """Why the subject could not be built, started or closed; empty when it could."""

    def count(self, *outcomes: Outcome) -> int:
        """Number of cases that ended in one of the outcomes."""
        return sum(self.outcomes.get(outcome, 0) for outcome in outcomes)

    @property
    def executed(self) -> int:
        """Number of cases that ran."""
        return self.count(*EXECUTED)


def exit_code(summary: RunSummary) -> int:
    """The exit code of a run (design §6).

    The most telling comes first: a failed requirement (1) is evidence that neither a subject that broke later (12), a
    stale ledger (11) nor a missing case (10) takes away. Bisecting relies on that: 1 is bad, 12 is skip.
    """
    if summary.count("failed", "error"):
        return EXIT_FAILED
    if summary.subject_trouble:
        return EXIT_SUBJECT
    if summary.stale_ledger or summary.count("unexpected_pass"):
        return EXIT_LEDGER
    answered = summary.executed + summary.count("not_applicable")
    if summary.count("unknown", "not_run") or answered < summary.expected or not summary.executed:
        return EXIT_INCOMPLETE
    return EXIT_CLEAN


def exit_reason(summary: RunSummary) -> str:
    """One sentence on why the exit code is what it is."""
    match exit_code(summary):
        case 0:
            return _clean_reason(summary)
        case 1:
            return f"{summary.count('failed', 'error')} of {summary.executed} cases failed"
        case 12:
            return f"the subject could not be built, started or closed: {summary.subject_trouble.splitlines()[0]}"
        case 11:
            return _ledger_reason(summary)
        case _:
            return _incomplete_reason(summary)


def _clean_reason(summary: RunSummary) -> str:
    parts = [f"{summary.count('passed')} cases passed"]
    if expected := summary.count("expected_failure"):
        parts.append(f"{expected} failed as the ledger expects")
    if applicable := summary.count("not_applicable"):
        parts.append(f"{applicable} are not applicable")
    return ", ".join(parts)


def _ledger_reason(summary: RunSummary) -> str:
    parts = []
    if passes := summary.count("unexpected_pass"):
        parts.append(f"{passes} cases passed that the ledger expects to fail")
    if summary.stale_ledger:
        parts.append(f"ledger entries that match nothing: {', '.join(summary.stale_ledger)}")
    return "; ".join(parts)


def _incomplete_reason(summary: RunSummary) -> str:
    if not summary.executed:
        return f"no case ran: {summary.expected} were expected, {summary.count('not_applicable')} are not applicable"
    parts = [f"{summary.executed} of {summary.expected} cases ran"]
    if unknown := summary.count("unknown"):
        parts.append(f"{unknown} have no verdict because their capture is incomplete")
    if applicable := summary.count("not_applicable"):
        parts.append(f"{applicable} are not applicable")
    return ", ".join(parts)

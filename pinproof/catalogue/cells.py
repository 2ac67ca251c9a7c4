"""What the report of one run says of every entry of the catalogue: pure, from values.

A case shows its entry when it failed, or failed as the ledger expects with one of the entry's own links. A failure that
the ledger explains with other links only is another defect: for this entry the case has passed, since its literal
expectations held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pinproof.catalogue.entries import Entry
from pinproof.report.document import ReportDocument

Shown = Literal["shows", "holds", "not applicable", "no verdict"]
"""Of a case: `shows` the entry; `holds` what was expected; says nothing of this subject; was not run to its end."""

_WORST: tuple[Shown, ...] = ("shows", "no verdict", "holds", "not applicable")


@dataclass(frozen=True, slots=True)
class Run:
    """One subject's run of the cases of the catalogue."""

    kind: str
    """Such as `kubelet`."""

    version: str
    cases: Mapping[str, Mapping[str, Shown]]
    """Entry → case → what it came to; a case that is not of this release is not there."""

    unexplained: tuple[str, ...]
    """Cases that failed without an entry of the ledger."""

    unseen: tuple[str, ...]
    """Cases without a verdict."""

    stale: tuple[str, ...]
    """Cases that passed although the ledger expects their failure."""

    def cell(self, entry: str) -> Shown:
        """What the subject says of the entry: one case that shows it is enough."""
        return merged(self.cases[entry].values())


def merged(shown: Iterable[Shown]) -> Shown:
    """Of several cases, or of one case on several machines; of none at all: not applicable."""
    found = set(shown)
    return next((word for word in _WORST if word in found), "not applicable")


def run_of(entries: Iterable[Entry], report: ReportDocument) -> Run:
    """What a report says."""
    links: dict[str, set[str]] = {}
    for use in report.ledger:
        for case in use.cases:
            links.setdefault(case, set()).add(use.link)
    outcomes = {case.id: case.outcome for case in report.cases}
    return Run(
        kind=report.subject.name.partition(":")[0],
        version=report.subject.version,
        cases={
            entry.id: {
                case: _shown(outcome, own=not links.get(case, set()).isdisjoint(entry.upstream))
                for case, outcome in outcomes.items()
                if entry.covers(case)
            }
            for entry in entries
        },
        unexplained=_of(outcomes, "failed"),
        unseen=_of(outcomes, "error", "unknown", "not_run"),
        stale=_of(outcomes, "unexpected_pass"),
    )


def _shown(outcome: str, *, own: bool) -> Shown:
    """What a case says of an entry; `own`: the ledger explains its failure with a link of the entry."""
    match outcome:
        case "failed":
            return "shows"
        case "expected_failure":
            return "shows" if own else "holds"
        case "passed" | "unexpected_pass":
            return "holds"
        case "not_applicable":
            return "not applicable"
        case _:
            return "no verdict"


def _of(outcomes: Mapping[str, str], *wanted: str) -> tuple[str, ...]:
    return tuple(case for case, outcome in outcomes.items() if outcome in wanted)

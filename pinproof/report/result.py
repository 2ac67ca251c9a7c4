"""What a run hands over when it is done: plain values, no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pinproof.history import Outcome
from pinproof.judge.lattice import RunSummary, exit_code, merge
from pinproof.judge.verdict import Finding

SLOWEST = 20
"""Cases that a report names as the slowest."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a case tells beside its verdict: outcomes by order of re-admission, points that were reached."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Each as long as the head."""

    def __post_init__(self) -> None:
        """Raises ValueError for a row of another length."""
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError(f"a row of {self.title!r} has not {len(self.head)} cells")

    def text(self) -> str:
        """The table in plain text, columns aligned; without the title."""
        lines = [self.head, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case of a run."""

    id: str
    """Stable across renames of the test, such as `MM-ADMIT-001[two_even~static]`."""

    nodeid: str
    """As pytest names it."""

    requirements: tuple[str, ...]
    """Ids of the requirements that the case speaks for."""

    outcome: Outcome
    duration: float = 0.0
    """Seconds."""

    machine: str = ""
    """Name of the topology."""

    configuration: str = ""
    """Slug of the kubelet configuration."""

    findings: tuple[Finding, ...] = ()
    message: str = ""
    """The assertion or trouble that decided the outcome, in words."""

    not_applicable: tuple[str, ...] = ()
    """Why the case says nothing about this subject."""

    details: str = ""
    """The findings as a person reads them (`judge.render`)."""

    replay: str = ""
    """The one command that shows the failure again."""

    artefacts: str = ""
    """Folder with what was kept of a failure, relative to the report."""

    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerUse:
    """A ledger entry that explained something in this run."""

    id: str
    """Requirement or case id as the entry has it."""

    reason: str
    link: str
    """Where upstream it is discussed."""

    cases: tuple[str, ...]
    """Ids of the cases it was used for."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything a report tells of a run."""

    subject: str
    """As the user wrote it: `kubelet:1.36.3`."""

    version: str
    """The Kubernetes release it is."""

    cases: tuple[CaseResult, ...]
    expected: int
    """Cases that the run set out to execute."""

    collected: int
    """Cases that were found, deselected ones included."""

    properties: Mapping[str, str] = field(default_factory=dict)
    """The subject's own facts."""

    versions: Mapping[str, str] = field(default_factory=dict)
    """Of pinproof, its suites, Python, the formats."""

    seeds: Mapping[str, int] = field(default_factory=dict)
    ledger: tuple[LedgerUse, ...] = ()
    stale_ledger: tuple[str, ...] = ()
    """Ids of ledger entries that matched nothing."""

    subject_trouble: str = ""
    """Why the subject could not be built, started or closed."""

    notes: tuple[str, ...] = ()
    """What a reader should know: one line for each capability that is missing, cases of other releases left out."""

    started: str = ""
    """When, in UTC, ISO 8601."""

    duration: float = 0.0
    """Seconds."""

    command: str = ""
    """What was typed."""

    def summary(self) -> RunSummary:
        """What the exit code is decided from."""
        return RunSummary(
            outcomes=Counter(case.outcome for case in self.cases),
            expected=self.expected,
            stale_ledger=self.stale_ledger,
            subject_trouble=self.subject_trouble,
        )

    def slowest(self) -> list[CaseResult]:
        """The cases that took longest, at most `SLOWEST`, the slowest first."""
        return sorted((case for case in self.cases if case.duration), key=lambda case: -case.duration)[:SLOWEST]

    def exit_code(self) -> int:
        """The run's exit code (design §6)."""
        return exit_code(self.summary())

    def requirements(self) -> dict[str, Outcome]:
        """Requirement → merged outcome of its cases, ascending by id."""
        outcomes: dict[str, list[Outcome]] = {}
        for case in self.cases:
            for requirement in case.requirements:
                outcomes.setdefault(requirement, []).append(case.outcome)
        return {requirement: merge(outcomes[requirement]) for requirement in sorted(outcomes)}

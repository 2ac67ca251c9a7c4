"""`report.json`: the format, and the way between it and a run's values.

`apiVersion: pinproof/v1alpha1`, `kind: Report`. Keys are written as Kubernetes writes them. The JSON Schema
`schemas/report.json` is generated from these models (`schema.py`) and tested against them.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt
from pydantic.alias_generators import to_camel

from pinproof.history import Outcome
from pinproof.judge.lattice import exit_reason
from pinproof.judge.verdict import Finding
from pinproof.report.result import CaseResult, LedgerUse, RunResult, Table

API_VERSION: Final = "pinproof/v1alpha1"


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class FindingDocument(_Model):
    """One thing that is wrong."""

    oracle: Literal["required", "modelled"]
    """`required`: no release may do this. `modelled`: the model of this release does otherwise."""

    requirement: str
    """Id of the broken invariant; empty for a difference from the model."""

    step: NonNegativeInt
    """0 is the start of the kubelet, n is after the n-th step."""

    path: str
    """Where in the observation."""

    expected: str
    seen: str
    explanation: str


class TableDocument(_Model):
    """What a case tells beside its verdict."""

    title: str
    head: list[str]
    rows: list[list[str]]
    """Each as long as the head."""


class CaseDocument(_Model):
    """One case."""

    id: str
    nodeid: str
    requirements: list[str]
    outcome: Outcome
    duration: NonNegativeFloat
    """Seconds."""

    machine: str
    configuration: str
    findings: list[FindingDocument]
    message: str
    not_applicable: list[str]
    """Why the case says nothing about this subject."""

    replay: str
    """The command that shows the failure again."""

    artefacts: str
    """Folder relative to the report."""

    tables: list[TableDocument] = []


class SubjectDocument(_Model):
    """What was tested."""

    name: str
    version: str
    properties: dict[str, str]
    trouble: str
    """Why it could not be built, started or closed; empty when it could."""


class LedgerDocument(_Model):
    """A ledger entry that explained something."""

    id: str
    reason: str
    link: str
    cases: list[str]


class TotalsDocument(_Model):
    """Numbers of cases."""

    expected: NonNegativeInt
    """Which the run set out to execute."""

    collected: NonNegativeInt
    """Which were found, deselected ones included."""

    executed: NonNegativeInt
    """Which really ran."""

    outcomes: dict[Outcome, NonNegativeInt]


class ReportDocument(_Model):
    """The report of one run."""

    api_version: Literal["pinproof/v1alpha1"]
    kind: Literal["Report"]
    subject: SubjectDocument
    versions: dict[str, str]
    seeds: dict[str, int]
    command: str
    started: str
    """UTC, ISO 8601."""

    duration: NonNegativeFloat
    """Seconds."""

    exit_code: int = Field(ge=0, le=255)
    exit_reason: str
    totals: TotalsDocument
    requirements: dict[str, Outcome]
    """Requirement → merged outcome of its cases."""

    cases: list[CaseDocument]
    ledger: list[LedgerDocument]
    stale_ledger: list[str]
    """Ledger entries that matched nothing."""

    notes: list[str]


def document_of(run: RunResult) -> ReportDocument:
    """A run as a document."""
    summary = run.summary()
    return ReportDocument(
        api_version=API_VERSION,
        kind="Report",
        subject=SubjectDocument(
            name=run.subject, version=run.version, properties=dict(run.properties), trouble=run.subject_trouble
        ),
        versions=dict(run.versions),
        seeds=dict(run.seeds),
        command=run.command,
        started=run.started,
        duration=run.duration,
        exit_code=run.exit_code(),
        exit_reason=exit_reason(summary),
        totals=TotalsDocument(
            expected=run.expected,
            collected=run.collected,
            executed=summary.executed,
            outcomes=dict(sorted(summary.outcomes.items())),
        ),
        requirements=run.requirements(),
        cases=[_case(case) for case in run.cases],
        ledger=[_ledger(use) for use in run.ledger],
        stale_ledger=list(run.stale_ledger),
        notes=list(run.notes),
    )


def _case(case: CaseResult) -> CaseDocument:
    return CaseDocument(
        id=case.id,
        nodeid=case.nodeid,
        requirements=list(case.requirements),
        outcome=case.outcome,
        duration=case.duration,
        machine=case.machine,
        configuration=case.configuration,
        findings=[_finding(finding) for finding in case.findings],
        message=case.message,
        not_applicable=list(case.not_applicable),
        replay=case.replay,
        artefacts=case.artefacts,
        tables=[_table(table) for table in case.tables],
    )


def _table(table: Table) -> TableDocument:
    return TableDocument(title=table.title, head=list(table.head), rows=[list(row) for row in table.rows])


def _finding(finding: Finding) -> FindingDocument:
    return FindingDocument(
        oracle=finding.oracle,
        requirement=finding.requirement,
        step=finding.step,
        path=finding.path,
        expected=finding.expected,
        seen=finding.seen,
        explanation=finding.explanation,
    )


def _ledger(use: LedgerUse) -> LedgerDocument:
    return LedgerDocument(id=use.id, reason=use.reason, link=use.link, cases=list(use.cases))


def to_json(document: ReportDocument) -> str:
    """The text of `report.json`."""
    return document.model_dump_json(by_alias=True, indent=1) + "\n"

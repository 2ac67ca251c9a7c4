"""The ledger of known failures, strict both ways.

An entry names cases, a condition on the subject, and the message they must fail with. A case it covers that fails with
that message is an `expected_failure`; one that fails otherwise has failed; one that passes is an `unexpected_pass`; and
an entry that covers no case at all is stale, which fails the run. So an entry can neither hide a new defect nor outlive
its own.

A defect that shows wherever pods are rejected would need an entry for every such case. It is written as a `finding`
instead: the invariant that the judge names and part of what it says. A case of which every literal expectation holds, and
every finding is explained this way, is an `expected_failure`; an entry that explains no finding of a whole run is stale.

In the name of an entry `*` stands for anything and `?` for one character; it must match the whole id of a case, or one
of the requirements that a case names. Everything else is literal, brackets too.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pinproof.history import Outcome
from pinproof.judge import Finding
from pinproof.reference.decisions import DECISIONS
from pinproof.report import CaseResult
from pinproof.running.documents import Document, documents, read_document
from pinproof.running.facts import Facts
from pinproof.running.releases import matches

_ALSO: Final[Mapping[str, tuple[str, ...]]] = {"kind": ("kubelet",)}
"""Kind of subject → other kinds whose entries hold for it: a worker of a cluster has the same kubelet in it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One known failure."""

    name: str
    """Case or requirement id, with wildcards; or the invariant (`I-7`) of a finding."""

    is_finding: bool
    """Whether it explains findings, wherever they are, instead of covering cases."""

    subjects: tuple[str, ...]
    """Kinds of subject it holds for, such as `kubelet`; `*` is all."""

    versions: str
    """Condition on the release, such as `<1.32`; empty for all."""

    link: str
    """Upstream issue or pull request."""

    message: str
    """Part of what the failing case says."""

    added: datetime.date
    reason: str
    source: str
    """File and position, for messages."""

    decision: str = ""
    """Of a finding: the decision of the reference without which the entry explains nothing. Decisions are followed in
    campaigns alone, so an entry that names one says nothing of a run of the suites."""

    def holds_for(self, facts: Facts) -> bool:
        """Whether the entry speaks of this subject."""
        kinds = {facts.kind, "*", *_ALSO.get(facts.kind, ())}
        return not kinds.isdisjoint(self.subjects) and matches(facts.version, self.versions)

    def covers(self, case: str, requirements: Iterable[str]) -> bool:
        """Whether the entry speaks of this case."""
        if self.is_finding:
            return False
        wild = re.escape(self.name).replace(r"\*", ".*").replace(r"\?", ".")
        pattern = re.compile(wild, re.DOTALL)
        return any(pattern.fullmatch(id_) for id_ in (case, case.removeprefix("suites/"), *requirements))

    def speaks_of(self, case: CaseResult) -> bool:
        """Whether the entry covers this case or explains one of its findings."""
        return self.covers(case.id, case.requirements) or any(self.explains(finding) for finding in case.findings)

    def explains(self, finding: Finding, reached: Collection[str] = ()) -> bool:
        """Whether the entry speaks of this finding, in a scenario in which the reference took these decisions."""
        if self.decision and self.decision not in reached:
            return False
        said = f"{finding.path}: expected {finding.expected}, seen {finding.seen}"
        return self.is_finding and self.name == finding.requirement and self.message in said


_Kind = Annotated[str, Field(min_length=1)]


class _Subject(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: _Kind | Annotated[tuple[_Kind, ...], Field(min_length=1)]
    versions: str = ""

    @field_validator("versions")
    @classmethod
    def _readable(cls, text: str) -> str:
        matches("1.30.0", text)
        return text


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    case: str = Field("", min_length=3)
    finding: str = Field("", pattern=r"^I-[1-9]$")
    subject: _Subject
    link: str = Field(pattern=r"^https://")
    message: str = Field(min_length=4)
    decision: str = ""
    added: datetime.date
    reason: str = Field(min_length=4)

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if bool(self.case) == bool(self.finding):
            raise ValueError("an entry names either a `case` or a `finding`")
        if self.decision and self.decision not in DECISIONS:
            near = get_close_matches(self.decision, DECISIONS, n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"the reference takes no decision {self.decision!r}{hint}")
        if self.decision and not self.finding:
            raise ValueError("only a `finding` depends on a `decision`")
        return self


class _File(Document):
    kind: Literal["Ledger"]
    entries: tuple[_Entry, ...] = ()


def read_ledger(place: Path) -> tuple[Entry, ...]:
    """Entries of a file or folder. Raises InputError with every problem of the first file that has one."""
    return tuple(
        Entry(
            name=entry.case or entry.finding,
            is_finding=bool(entry.finding),
            subjects=(kinds,) if isinstance(kinds := entry.subject.kind, str) else kinds,
            versions=entry.subject.versions,
            link=entry.link,
            message=entry.message,
            added=entry.added,
            reason=entry.reason,
            source=f"{path.name}: entries[{index}]",
            decision=entry.decision,
        )
        for path in documents(place)
        for index, entry in enumerate(read_document(path, _File).entries)
    )


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the ledger makes of one case."""

    outcome: Outcome
    entry: Entry | None = None
    """The entry that decided; None when the ledger has no say."""


class Ledger:
    """The entries that hold for the subject of a run of the suites."""

    def __init__(self, entries: Iterable[Entry], facts: Facts) -> None:
        self.entries = tuple(entry for entry in entries if entry.holds_for(facts) and not entry.decision)

    def rule(
        self,
        case: str,
        requirements: Iterable[str],
        outcome: Outcome,
        text: str,
        *,
        findings: Sequence[Finding] = (),
    ) -> Ruling:
        """What a case that ended in `outcome` and said `text` amounts to; only passes and failures can change.

        `findings` are those of a case that failed by nothing else. Where all of them are differences from the model alone, the
        case has what it expects, so the subject has not the defect that an entry for the case speaks of.
        """
        names = tuple(requirements)
        covering = [entry for entry in self.entries if entry.covers(case, names)]
        if outcome == "failed":
            differs_only = bool(findings) and not any(finding.requirement for finding in findings)
            for entry in () if differs_only else covering:
                if entry.message in text:
                    return Ruling("expected_failure", entry)
            explanations = [self._explanation(finding) for finding in findings]
            if explanations and all(explanations):
                return Ruling("expected_failure", explanations[0])
        if outcome == "passed" and covering:
            return Ruling("unexpected_pass", covering[0])
        return Ruling(outcome)

    def _explanation(self, finding: Finding) -> Entry | None:
        return next((entry for entry in self.entries if entry.explains(finding)), None)

    def stale(self, cases: Iterable[CaseResult]) -> list[Entry]:
        """Entries that neither cover nor explain anything in these cases, which are all there are."""
        every = list(cases)
        return [entry for entry in self.entries if not any(entry.speaks_of(case) for case in every)]

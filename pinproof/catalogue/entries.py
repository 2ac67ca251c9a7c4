"""The entries of the catalogue, as data: what is known upstream, and which cases show it.

The format is described in `catalogue/README.md`. The catalogue says nothing of releases: on which of them an entry
reproduces is measured by running its cases. It is read whole or refused whole: `InputError` names every problem of the
file it lies in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pinproof.errors import InputError, Problem
from pinproof.running.documents import Document, documents, read_document
from pinproof.running.places import shipped

Tier = Literal["P0", "P1", "P2"]
Kind = Literal["defect", "behaviour"]
Link = Annotated[str, Field(pattern=r"^https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+$")]

Sentence = Annotated[str, Field(pattern=r"^$|\.$")]
"""A full stop at its end shows that YAML took no `#` in it for a comment."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One known regression, defect or trap."""

    id: str
    """Section and number, such as `A1`."""

    tier: Tier
    title: str
    """One sentence, without the full stop."""

    kind: Kind
    """`defect`: its cases expect what was promised, and fail where a release has it. `behaviour`: upstream means it so, and
    the cases expect what is documented."""

    upstream: tuple[str, ...]
    """Issues and pull requests; the first gives the test file its number. A ledger entry that explains a failure of
    its cases has one of these links."""

    cases: tuple[str, ...]
    """Ids of cases that show it, with `*` and `?` as in the ledger; empty when none can."""

    unconfirmed: str
    """What was not known before the releases were run; empty when nothing was open."""

    cannot: str
    """What of it cannot be shown, and why; empty when everything can."""

    @property
    def section(self) -> str:
        """Letter of the section."""
        return self.id[0]

    def covers(self, case: str) -> bool:
        """Whether a case shows this entry."""
        return any(_pattern(wild).fullmatch(case) for wild in self.cases)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-J][1-9]\d?$")
    tier: Tier
    title: str = Field(min_length=8, pattern=r"[^.]$")
    kind: Kind = "defect"
    upstream: tuple[Link, ...] = Field(min_length=1)
    cases: tuple[Annotated[str, Field(pattern=r"^suites/[\w/]+\.py::\S+$")], ...] = ()
    unconfirmed: Sentence = ""
    cannot: Sentence = ""

    @model_validator(mode="after")
    def _shown_or_not(self) -> Self:
        if not self.cases and not self.cannot:
            raise ValueError("an entry has `cases` that show it, or says why it `cannot` be shown")
        return self


class _File(Document):
    kind: Literal["Catalogue"]
    entries: tuple[_Entry, ...]


def read_catalogue(place: Path | None = None) -> tuple[Entry, ...]:
    """Entries of a file or folder, by section and number; the shipped catalogue unless told otherwise."""
    known: dict[str, Entry] = {}
    for path in documents(place or shipped("catalogue")):
        problems = []
        for index, entry in enumerate(read_document(path, _File).entries):
            if entry.id in known:
                problems.append(Problem(f"entries[{index}].id", f"{entry.id} is there twice"))
            known[entry.id] = Entry(**{name: getattr(entry, name) for name in _Entry.model_fields})
        if problems:
            raise InputError(str(path), *problems)
    return tuple(sorted(known.values(), key=lambda entry: (entry.section, int(entry.id[1:]))))


def check_catalogue(entries: Iterable[Entry], cases: Iterable[str]) -> list[Problem]:
    """What is wrong between the catalogue and all cases of all suites.

    Every pattern names a case, and every case of `suites/regressions` belongs to an entry.
    """
    every, known = list(cases), list(entries)
    problems = [
        Problem(entry.id, f"no case is called {wild}")
        for entry in known
        for wild in entry.cases
        if not any(_pattern(wild).fullmatch(case) for case in every)
    ]
    return problems + [
        Problem(case, "shows no entry of the catalogue")
        for case in every
        if case.startswith("suites/regressions/") and not any(entry.covers(case) for entry in known)
    ]


def files_of(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Test files that hold cases of the entries, in the order of their names."""
    return tuple(sorted({wild.partition("::")[0] for entry in entries for wild in entry.cases}))


def selected_by(entries: Iterable[Entry]) -> tuple[str, ...]:
    """What pytest is asked for: tests that are named in full, and files of which any test may be meant."""
    wanted = {wild.partition("[")[0] for entry in entries for wild in entry.cases}
    whole = {name.partition("::")[0] for name in wanted if re.search("[*?]", name)}
    named = {name for name in wanted if name.partition("::")[0] not in whole}
    return tuple(sorted(whole | named))


def _pattern(wild: str) -> re.Pattern[str]:
    return re.compile(re.escape(wild).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)

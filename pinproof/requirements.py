"""The registry of requirements: what a conforming kubelet must do, each with its id and where it is promised.

The format is described in `requirements/README.md`. A registry is read whole or refused whole: `InputError` names every
problem of the file it lies in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pinproof.errors import InputError, Problem
from pinproof.running.documents import Document, documents, read_document
from pinproof.running.places import shipped
from pinproof.running.releases import minor_number

Level = Literal["core", "extended", "provisional"]
Minor = Annotated[str, Field(pattern=r"^1\.\d+$")]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One promise."""

    id: str
    must: str
    """One sentence with MUST, of what can be observed from outside."""

    source: str
    """Where it is promised."""

    level: Level
    since: str | None
    """First minor the promise holds for, None for all that are supported."""

    until: str | None
    """Last minor the promise holds for."""

    peers: tuple[str, ...]
    """Upstream end-to-end cases that it is the counterpart of, such as `A1.6`."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*-\d{3}$")
    must: str
    source: str = Field(min_length=1)
    level: Level
    since: Minor | None = None
    until: Minor | None = None
    peers: tuple[Annotated[str, Field(pattern=r"^A[1-9]\.\d+$")], ...] = ()

    @field_validator("must")
    @classmethod
    def _promises(cls, text: str) -> str:
        if "MUST" not in text:
            raise ValueError("a requirement is a sentence with MUST or MUST NOT")
        return text


class _File(Document):
    kind: Literal["Requirements"]
    requirements: tuple[_Entry, ...]


def read_requirements(place: Path | None = None) -> dict[str, Requirement]:
    """Id → requirement, from a file or folder; the shipped registry unless told otherwise."""
    known: dict[str, Requirement] = {}
    for path in documents(place or shipped("requirements")):
        problems = []
        for index, entry in enumerate(read_document(path, _File).requirements):
            where = f"requirements[{index}]"
            if entry.id in known:
                problems.append(Problem(f"{where}.id", f"{entry.id} is there twice"))
            if entry.since and entry.until and minor_number(entry.since) > minor_number(entry.until):
                problems.append(Problem(where, f"since {entry.since} lies after until {entry.until}"))
            known[entry.id] = Requirement(**{name: getattr(entry, name) for name in _Entry.model_fields})
        if problems:
            raise InputError(str(path), *problems)
    return known


def check_cases(known: Mapping[str, Requirement], cases: Mapping[str, Iterable[str]]) -> list[Problem]:
    """What is wrong between registry and suites.

    Args:
        known: the registry.
        cases: id of every case → requirements it names; every case of every suite, for the second half to be right.
    """
    named: dict[str, str] = {}
    for case, requirements in cases.items():
        for requirement in requirements:
            named.setdefault(requirement, case)
    problems = [
        Problem(case, f"names the requirement {requirement}, which requirements/ does not have")
        for requirement, case in named.items()
        if requirement not in known
    ]
    return problems + [Problem(id_, "has no case") for id_ in known if id_ not in named]

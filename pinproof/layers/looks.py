"""What a look at one scenario can come to beside a difference; values, so that a look can be taken in another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pinproof.scenario.steps import Scenario


@dataclass(frozen=True, slots=True)
class Agreed:
    """All subjects do the same."""

    open: bool = False
    """Kubernetes leaves the outcome open."""


@dataclass(frozen=True, slots=True)
class Chance:
    """The outcome is open and neither subject tells all of it, so their difference means nothing."""


@dataclass(frozen=True, slots=True)
class Inapplicable:
    """The scenario could not be run."""

    reason: str


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Not everything was seen."""

    scenario: Scenario
    trouble: str
    artefacts: Mapping[str, str] = field(default_factory=dict)
    """File name → text: what the subject left behind."""

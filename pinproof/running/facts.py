"""Facts about the subject of a run: learned once, by the process that starts the run, and told to every worker.

Cases are selected by the subject's minor while they are collected, so every worker has to know it before it has a
subject of its own; and a subject that cannot be had is to be reported once, before anything else happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pinproof.running.releases import minor_of
from pinproof.subjects.protocol import Subject


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the subject before the first case."""

    name: str
    """As the user wrote it."""

    version: str
    """The Kubernetes release."""

    properties: Mapping[str, str]
    """Version, digest, privileges, for header and reports."""

    @property
    def minor(self) -> str:
        """Such as `1.36`."""
        return minor_of(self.version)

    @property
    def kind(self) -> str:
        """Such as `kubelet`."""
        return self.name.partition(":")[0]

    @property
    def patience(self) -> float:
        """How much longer than others a case may take; of a subject whose instructions are emulated."""
        return float(self.properties.get("patience", "1"))

    def packed(self) -> dict[str, Any]:
        """Plain data, to be sent to a worker."""
        return {"name": self.name, "version": self.version, "properties": dict(self.properties)}


def facts_of(subject: Subject) -> Facts:
    """Ask a subject."""
    return Facts(subject.name, subject.version, dict(subject.properties()))

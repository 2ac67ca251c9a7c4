"""What a run may draw: the features that its release has and its subject can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Self

from pinproof.reference.behaviour import LATEST, MINORS, Behaviour, behaviour_of
from pinproof.scenario.steps import Restart
from pinproof.subjects.protocol import ADMIT_HINTS, MACHINE_WINDOWS, Capabilities

RESTARTS = frozenset(field.name for field in fields(Restart))
"""What may be different about a restart."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Limits of a grammar. The default draws all that the newest release may meet on Linux."""

    minor: str = LATEST
    """The release's minor; features it does not have are drawn rarely, for their refusal."""

    max_nodes: int = 16
    """Most NUMA nodes of a machine; more than 8 are rare anyway."""

    max_steps: int = 14
    restarts: frozenset[str] = RESTARTS
    """Fields of a restart that the subject can honour."""

    releases: tuple[str, ...] = ()
    """Releases (`1.35.4`) that a restart may go to, beside none at all."""

    pod_level: bool = False
    """Pods with resources of their own (`spec.resources`)."""

    pod_level_managers: bool = False
    """The gate `PodLevelResourceManagers` exists (1.36)."""

    other_hints: bool = False
    """Hints of another provider, such as a device plugin."""

    windows: bool = False
    """Machines with Windows, and its policy `BestEffort`."""

    @property
    def behaviour(self) -> Behaviour:
        """The switches of the minor."""
        return behaviour_of(self.minor)

    @property
    def pod_level_by_default(self) -> bool:
        """Whether the gate `PodLevelResources` is on by default (1.34)."""
        return self.since("1.34")

    def since(self, minor: str) -> bool:
        """Whether the release is this minor or a later one."""
        return MINORS.index(self.minor) >= MINORS.index(minor)

    @classmethod
    def of(cls, version: str, capabilities: Capabilities, *, releases: Iterable[str] = ()) -> Self:
        """What a subject of this release (`1.36.3`) can be given; InputError for one that the reference does not know."""
        steps = capabilities.steps
        restarts = frozenset(name for name in RESTARTS if f"restart.{name}" in steps)
        plain = cls(
            minor=behaviour_of(version).minor,
            restarts=restarts,
            releases=tuple(releases) if "kubernetes" in restarts else (),
            other_hints=ADMIT_HINTS in steps,
        )
        return replace(
            plain,
            pod_level=plain.since("1.32"),
            pod_level_managers=plain.since("1.36"),
            windows=MACHINE_WINDOWS in steps and plain.since("1.32"),
        )

"""What a run may draw: the features that its release has and its subject can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from pinproof.reference.behaviour import LATEST, Behaviour, behaviour_of
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
    """Pods with resources of their own (`spec.resources`), and the gates that say what becomes of them."""

    other_hints: bool = False
    """Hints of another provider, such as a device plugin."""

    windows: bool = False
    """Machines with Windows, and its policy `BestEffort`."""

    @property
    def behaviour(self) -> Behaviour:
        """The switches of the minor."""
        return behaviour_of(self.minor)

    @classmethod
    def of(cls, version: str, capabilities: Capabilities, *, releases: Iterable[str] = ()) -> Self:
        """What a subject of this release (`1.36.3`) can be given; InputError for one that the reference does not know."""
        steps, behaviour = capabilities.steps, behaviour_of(version)
        restarts = frozenset(name for name in RESTARTS if f"restart.{name}" in steps)
        return cls(
            minor=behaviour.minor,
            restarts=restarts,
            releases=tuple(releases) if "kubernetes" in restarts else (),
            pod_level=behaviour.knows_pod_level_resources,
            other_hints=ADMIT_HINTS in steps,
            windows=MACHINE_WINDOWS in steps and behaviour.has_best_effort,
        )

"""The reference as a subject: it answers with what it predicts, and so has to pass everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from pinproof.history import History, Observation
from pinproof.reference.behaviour import LATEST, behaviour_of
from pinproof.reference.model import predict
from pinproof.scenario.steps import Restart, Scenario
from pinproof.subjects.protocol import (
    ADMIT_HINTS,
    ADMIT_WAYS,
    EXPOSITION,
    FAULTS,
    MACHINE_WINDOWS,
    NODE_STEPS,
    POWER_CUT,
    REBOOT,
    WITHOUT_MEMORY_MANAGER,
    Capabilities,
)


class ReferenceSubject:
    """Runs scenarios on the model of one minor."""

    def __init__(self, minor: str = LATEST) -> None:
        self._behaviour = behaviour_of(minor)
        self.name = f"reference:{self._behaviour.minor}"
        self.version = f"{self._behaviour.minor}.0"
        self.capabilities = Capabilities(
            observables=frozenset({EXPOSITION, *(f.name for f in fields(Observation))}),
            steps=NODE_STEPS
            | FAULTS
            | ADMIT_WAYS
            | {f"restart.{f.name}" for f in fields(Restart)}
            | {"admitTogether", POWER_CUT, REBOOT, ADMIT_HINTS, MACHINE_WINDOWS, WITHOUT_MEMORY_MANAGER},
        )

    def properties(self) -> Mapping[str, str]:
        """Which minor is modelled."""
        return {"kubernetes": self._behaviour.minor}

    def run(self, scenario: Scenario) -> History:
        """The first of the allowed histories."""
        return predict(scenario, self._behaviour, hints=True, along=()).histories[0]

    def close(self) -> None:
        """Nothing to leave behind."""

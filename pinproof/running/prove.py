"""`prove`: one scenario through subject, reference and judge, inside a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pinproof.errors import CaptureError
from pinproof.history import History, Prediction
from pinproof.running.configuration import Configuration
from pinproof.running.releases import minor_of
from pinproof.running.seen import NotObservableError, Seen
from pinproof.running.steps import PlannedRestart, planned
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, Step
from pinproof.subjects.protocol import Capabilities, Subject

if TYPE_CHECKING:
    from pinproof.judge.verdict import Judgement

Predict = Callable[[Scenario, str], Prediction]
"""(scenario, minor) → what the reference of that minor allows."""

Judge = Callable[[Scenario, Prediction, History, Capabilities], "Judgement"]

_ABILITIES: dict[type[Step], str] = {Admit: "admit", Remove: "remove", Exit: "exit", Restart: "restart"}


@dataclass(frozen=True, slots=True)
class Proof:
    """One scenario that was run and judged."""

    scenario: Scenario
    prediction: Prediction
    observed: History
    judgement: Judgement


class Prove:
    """Runs scenarios on the subject of this case and judges them; findings are kept for the end of the case."""

    def __init__(
        self, subject: Subject, machine: Machine, configuration: Configuration, *, predict: Predict, judge: Judge
    ) -> None:
        self.subject = subject
        self.machine = machine
        self.configuration = configuration
        self.proofs: list[Proof] = []
        self.name = machine.name
        self._predict = predict
        self._judge = judge

    def __repr__(self) -> str:
        return f"<prove on {self.subject.name}, {self.machine.name}, {self.configuration.slug}>"

    @property
    def minor(self) -> str:
        """Minor of the subject, such as `1.36`."""
        return minor_of(self.subject.version)

    def __call__(
        self,
        *steps: Step | PlannedRestart,
        kubelet: Configuration | KubeletConfig | None = None,
        machine: Machine | None = None,
    ) -> Seen:
        """Run the steps on a clean node and return what was seen.

        Args:
            steps: what happens after the kubelet has started.
            kubelet: a configuration other than the case's own.
            machine: a machine other than the case's own.

        Raises:
            NotObservableError: the subject cannot do one of the steps.
            CaptureError: the subject could not show everything it should have; what it did show is kept.
        """
        machine = machine or self.machine
        maker = kubelet or self.configuration
        config = maker(machine) if isinstance(maker, Configuration) else maker
        scenario = Scenario(self.name, machine, config, planned(steps, machine))
        self._check(scenario)
        observed = self.subject.run(scenario)
        prediction = self._predict(scenario, self.minor)
        capabilities = self.subject.capabilities
        judgement = self._judge(scenario, prediction, observed, capabilities)
        self.proofs.append(Proof(scenario, prediction, observed, judgement))
        if judgement.trouble:
            raise CaptureError(
                "judge",
                f"there is no verdict on {self.subject.name}: {judgement.trouble}",
                fault="the subject, or the machine it runs on",
                remedy="see the artefacts of the case; on a slow machine try --slow 3",
            )
        return Seen(observed, capabilities)

    def _check(self, scenario: Scenario) -> None:
        missing = sorted(abilities(scenario) - self.subject.capabilities.steps)
        if missing:
            raise NotObservableError(f"{self.subject.name} cannot do {', '.join(missing)}")


def abilities(scenario: Scenario) -> set[str]:
    """What a subject must be able to do for the scenario, in the words of `Capabilities.steps`."""
    wanted: set[str] = set()
    plain = Restart()
    for step in scenario.steps:
        wanted.add(_ABILITIES[type(step)])
        if isinstance(step, Restart):
            changed = (name.name for name in fields(step) if getattr(step, name.name) != getattr(plain, name.name))
            wanted.update(f"restart.{name}" for name in changed)
    return wanted

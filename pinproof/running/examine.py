"""One scenario on one subject: carried out, predicted by the reference of the subject's minor, judged.

The seam between everything that asks (suites, replay) and the three that answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

from pinproof.history import History, Prediction
from pinproof.judge.compare import compare
from pinproof.judge.outcomes import judge_outcomes, repeats
from pinproof.judge.serial import with_order, without_hints
from pinproof.judge.verdict import Judgement, judge
from pinproof.running.given import as_given
from pinproof.running.releases import minor_of
from pinproof.running.seen import NotObservableError
from pinproof.scenario.contents import arriving, kubelets, machines
from pinproof.scenario.faults import AtCall, Disk, Runtime
from pinproof.scenario.other_hints import has_hints
from pinproof.scenario.steps import Admit, AdmitTogether, Crash, Exit, Remove, Restart, Scenario, Step, begun
from pinproof.subjects.protocol import (
    ADMIT_HINTS,
    CRASH_AT_CALL,
    MACHINE_WINDOWS,
    POWER_CUT,
    REBOOT,
    WITHOUT_MEMORY_MANAGER,
    Capabilities,
    Given,
    Subject,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """One scenario that was run and judged."""

    scenario: Scenario
    prediction: Prediction
    observed: History
    """What was seen; where several outcomes were, the first that is not allowed, else the first."""

    judgement: Judgement


@runtime_checkable
class Repeats(Protocol):
    """A subject that can run a scenario in every order that Kubernetes leaves open."""

    def outcomes(self, scenario: Scenario, *, repeat: int) -> tuple[History, ...]:
        """The distinct histories of so many runs."""
        ...


Examine = Callable[[Subject, Scenario], Proof]

_ABILITIES: dict[type[Step], str] = {
    Admit: "admit",
    AdmitTogether: "admitTogether",
    Remove: "remove",
    Exit: "exit",
    Restart: "restart",
    Crash: "crash",
    Disk: "disk",
    Runtime: "runtime",
}


def examine(subject: Subject, scenario: Scenario) -> Proof:
    """Run, predict, judge.

    Raises:
        NotObservableError: the subject cannot do one of the steps; nothing was run.
        SubjectError: the subject cannot be started.
    """
    own = subject.own(scenario) if isinstance(subject, Given) else scenario
    missing = sorted(abilities(own) - subject.capabilities.steps)
    if missing:
        raise NotObservableError(f"{subject.name} cannot do {', '.join(missing)}")
    hints = "hints" in subject.capabilities.observables
    if any(isinstance(step, AdmitTogether) for step in scenario.steps):
        return _examine_together(subject, scenario)
    prediction = predicted(scenario, minor_of(subject.version), hints=hints)
    if len(prediction.histories) > 1 and isinstance(subject, Repeats):
        return _examine_outcomes(subject, scenario, prediction, subject.capabilities)
    observed = subject.run(scenario)
    prediction = as_given(prediction, scenario, observed)
    return Proof(scenario, prediction, observed, judge(scenario, prediction, observed, subject.capabilities))


def _examine_outcomes(
    subject: Repeats, scenario: Scenario, prediction: Prediction, capabilities: Capabilities
) -> Proof:
    """Run so often that every allowed outcome must have been seen, and judge them together."""
    repeat = repeats(prediction)
    histories = subject.outcomes(scenario, repeat=repeat)
    judgement = judge_outcomes(scenario, prediction, histories, capabilities, repeat=repeat)
    wrong = (history for history in histories if compare(prediction, history, capabilities))
    return Proof(scenario, prediction, next(wrong, histories[0]), judgement)


def _examine_together(subject: Subject, scenario: Scenario) -> Proof:
    """Run first, then find the orders of the pods that arrived together, and judge along these."""
    from pinproof.reference.behaviour import behaviour_of
    from pinproof.reference.model import predict
    from pinproof.running.serial import serial_order

    behaviour, capabilities = behaviour_of(subject.version), without_hints(subject.capabilities)
    observed = subject.run(scenario)
    order = serial_order(scenario, observed, behaviour, capabilities)
    prediction = as_given(predict(scenario, behaviour, along=order.choices), scenario, observed)
    judgement = with_order(judge(scenario, prediction, observed, capabilities), order)
    return Proof(scenario, prediction, observed, judgement)


def predicted(scenario: Scenario, minor: str, *, hints: bool = False) -> Prediction:
    """What the reference of a minor allows, with hints if asked; raises InputError for a minor it does not know."""
    from pinproof.reference.behaviour import behaviour_of
    from pinproof.reference.model import predict

    return predict(scenario, behaviour_of(minor), hints=hints)


def abilities(scenario: Scenario) -> set[str]:
    """What a subject must be able to do for the scenario, in the words of `Capabilities.steps`."""
    wanted: set[str] = set()
    plain = Restart()
    if any(machine.os == "windows" for machine in machines(scenario)):
        wanted.add(MACHINE_WINDOWS)
    if any(not config.gate("MemoryManager", default=True) for config in kubelets(scenario)):
        wanted.add(WITHOUT_MEMORY_MANAGER)
    for whole in scenario.steps:
        wanted.add(_ABILITIES[type(whole)])
        if isinstance(whole, Crash) and isinstance(whole.at, AtCall):
            wanted.add(CRASH_AT_CALL)
        step = begun(whole)
        pods = arriving(step)
        if any(has_hints(pod) for pod in pods):
            wanted.add(ADMIT_HINTS)
        wanted.update(f"admit.{pod.by}" for pod in pods if pod.by)
        wanted.update("admit.replaces" for pod in pods if pod.replaces)
        if isinstance(step, Restart):
            changed = (part.name for part in fields(step) if getattr(step, part.name) != getattr(plain, part.name))
            wanted.update(f"restart.{name}" for name in changed)
        if isinstance(step, Restart) and step.signal == "POWER":
            wanted.add(POWER_CUT)
        if isinstance(step, Restart) and step.signal == "REBOOT":
            wanted.add(REBOOT)
    return wanted

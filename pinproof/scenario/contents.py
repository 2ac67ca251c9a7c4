"""What there is in a scenario. Pure; a step that a crash interrupts counts like any other."""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, AdmitTogether, Restart, Scenario, Step, begun


def arriving(step: Step) -> tuple[Pod, ...]:
    """The pods that come with a step."""
    match begun(step):
        case Admit(pod):
            return (pod,)
        case AdmitTogether(pods):
            return pods
        case _:
            return ()


def pods(scenario: Scenario) -> Iterator[Pod]:
    """Every pod, as often as it comes."""
    for step in scenario.steps:
        yield from arriving(step)


def restarts(scenario: Scenario) -> Iterator[Restart]:
    """Every restart."""
    yield from (step for step in map(begun, scenario.steps) if isinstance(step, Restart))


def machines(scenario: Scenario) -> Iterator[Machine]:
    """The first machine, and every one that a restart changes to."""
    yield scenario.machine
    yield from (step.machine for step in restarts(scenario) if step.machine)


def kubelets(scenario: Scenario) -> Iterator[KubeletConfig]:
    """The first configuration, and every one that a restart changes to."""
    yield scenario.kubelet
    yield from (step.kubelet for step in restarts(scenario) if step.kubelet)


def releases(scenario: Scenario) -> frozenset[str]:
    """The releases that restarts change to."""
    return frozenset(step.kubernetes for step in restarts(scenario) if step.kubernetes)

"""What no virtual machine can be asked for: found before anything is begun. Pure."""

from __future__ import annotations

from pinproof.scenario.contents import arriving
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, AdmitTogether, Exit, Restart, Scenario, begun
from pinproof.subjects.kind.checks import check_limits
from pinproof.subjects.protocol import NotObservableError
from pinproof.vm import board


def check(scenario: Scenario) -> None:
    """Raises NotObservableError where a step cannot be carried out with its values."""
    board.check(scenario.machine)
    machine, come = scenario.machine, list[Pod]()
    for step in map(begun, scenario.steps):
        match step:
            case Admit() | AdmitTogether():
                come += arriving(step)
            case Restart() if step.machine not in (None, machine):
                board.check(step.machine or machine)
                machine = step.machine or machine
                if not step.boots and _shows_that_containers_end(scenario, come):
                    raise NotObservableError("a machine that changes is started again, and its containers with it")
    for pod in come:
        check_limits(pod)


def _shows_that_containers_end(scenario: Scenario, pods: list[Pod]) -> bool:
    """Whether it makes a difference that the containers do not go on: for those that come in turn, or have ended."""
    return any(pod.init_containers for pod in pods) or any(isinstance(step, Exit) for step in scenario.steps)

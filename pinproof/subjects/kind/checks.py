"""What no cluster can be asked for: found before anything is begun. Pure."""

from __future__ import annotations

import re
from typing import Final

from pinproof.scenario.contents import arriving
from pinproof.scenario.pod import Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Restart, Scenario, StateEdit, StateText, begun
from pinproof.subjects.protocol import NotObservableError

SMALLEST: Final = Quantity.parse("16Mi")
"""Memory without which no process of ours runs: containers are real here, and so are their limits."""


def check(scenario: Scenario) -> None:
    """Raises NotObservableError where a step cannot be carried out with its values."""
    pods = [pod for step in scenario.steps for pod in arriving(begun(step))]
    _check_uids(scenario, {pod.name for pod in pods})
    for pod in pods:
        check_limits(pod)
        _check_texts(pod)


def _check_uids(scenario: Scenario, names: set[str]) -> None:
    """UIDs are the API server's to give, so a text cannot speak of them beforehand."""
    uid = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\.\d+\b")
    if names and any(uid.search(text) for text in _texts(scenario)):
        raise NotObservableError("a state file of the scenario names pods by UID, and UIDs are the API server's")


def _texts(scenario: Scenario) -> list[str]:
    texts: list[str] = []
    for step in map(begun, scenario.steps):
        if not isinstance(step, Restart):
            continue
        match step.state:
            case StateEdit(find, replace):
                texts += [find, replace]
            case StateText(text):
                texts.append(text)
            case _:
                pass
        if isinstance(step.cpu_state, StateText):
            texts.append(step.cpu_state.text)
    return texts


def _check_texts(pod: Pod) -> None:
    """A kubelet cannot convert `1.5Gi`, which a static pod may say; an API server hands it on as `1536Mi`, which it can."""
    asked = [pod.requests, pod.limits]
    asked += [amounts for container in pod.all_containers for amounts in (container.requests, container.limits)]
    for name, quantity in (entry for amounts in asked for entry in amounts):
        converts = Quantity.parse(str(quantity)).exact_int() is not None
        if name != "cpu" and quantity.exact_int() is None and converts:
            raise NotObservableError(f"an API server writes {quantity.written} of pod {pod.name!r} as {quantity}")


def check_limits(pod: Pod) -> None:
    """Raises NotObservableError where a container may use less memory than a process needs."""
    bounds = [pod.limits, *(container.limits for container in pod.all_containers)]
    for name, quantity in (entry for limits in bounds for entry in limits):
        if name == "memory" and Quantity.ZERO < quantity < SMALLEST:
            raise NotObservableError(f"a container of pod {pod.name!r} may use {quantity}, with which no process runs")

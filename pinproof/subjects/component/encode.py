"""Scenarios as requests of the driver (`driver/component/README.md`). Pure.

Plain dictionaries straight from the frozen values: a campaign makes hundreds a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.faults import AtWrite, CallFault, Disk, Forgetting, Point, Runtime
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod, Resources
from pinproof.scenario.steps import (
    Admit,
    AdmitTogether,
    Crash,
    Exit,
    Remove,
    Restart,
    Scenario,
    StateEdit,
    StateText,
    Step,
)
from pinproof.subjects.kubelet.configuration import asked
from pinproof.subjects.protocol import NotObservableError

Entries = dict[str, Any]

SHOWN = ("hints", "stateFile")
"""Observables that cost time, in the words of the protocol."""

CALLS = ("RunPodSandbox", "CreateContainer", "StartContainer")
"""Calls to the runtime at which the driver can be killed; with the others nothing happens in the managers."""


def request(scenario: Scenario, *, show: Sequence[str] = SHOWN) -> Entries:
    """A scenario on one release, once; without an id."""
    return {
        "machine": machine(scenario.machine),
        "kubelet": kubelet(scenario.kubelet),
        "steps": [step(each) for each in scenario.steps],
        "show": show,
    }


def machine(value: Machine) -> Entries:
    """A machine."""
    return {
        "os": value.os,
        "threadsPerCore": value.threads_per_core,
        "numa": value.numa,
        "nodes": [_node(node) for node in value.nodes],
    }


def kubelet(config: KubeletConfig) -> Entries:
    """The fields that a configuration sets."""
    fields = asked(config)
    if config.feature_gates:
        fields["featureGates"] = dict(config.feature_gates)
    return fields


def step(value: Step) -> Entries:
    """A step; the release that a restart changes to is the caller's business.

    Raises:
        NotObservableError: the kubelet is to be killed at a call that this one does not make.
    """
    match value:
        case Admit(pod=arriving):
            return {"admit": _pod(arriving)}
        case AdmitTogether():
            raise ValueError("a component admits one pod at a time; its capabilities say so")
        case Crash(during=during, at=at):
            return {"crash": {"during": step(during), "at": _point(at)}}
        case Disk(state=state, file=file):
            return {"disk": {"state": state, "file": file}}
        case Runtime(fault=fault):
            return {"runtime": _runtime(fault)}
        case Remove(pod=name):
            return {"remove": name}
        case Exit(pod=name, container=container, code=code):
            return {"exit": {"pod": name, "container": container, "code": code}}
        case Restart():
            return {"restart": _restart(value)}


def _point(at: Point) -> Entries:
    if isinstance(at, AtWrite):
        return {"write": {"file": at.file, "number": at.number, "moment": at.moment}}
    if at.method not in CALLS:
        raise NotObservableError(f"a component makes no {at.method}, only {', '.join(CALLS)}")
    return {"call": {"method": at.method, "number": at.number, "moment": at.moment}}


def _runtime(fault: CallFault | Forgetting) -> Entries:
    if isinstance(fault, Forgetting):
        return {"forgets": True}
    return {"call": fault.method, "how": fault.how, "times": fault.times}


def _node(node: NumaNode) -> Entries:
    return {
        "id": node.id,
        "memory": node.memory,
        "cpus": sorted(node.cpus),
        "hugepages": node.hugepages,
        "distances": node.distances,
        "socket": node.socket,
    }


def _restart(value: Restart) -> Entries:
    entries: Entries = {"state": _state(value), "order": value.order, "signal": value.signal}
    if value.cpu_state != "keep":
        entries["cpuState"] = _text_or_word(value.cpu_state)
    if value.machine is not None:
        entries["machine"] = machine(value.machine)
    if value.kubelet is not None:
        entries["kubelet"] = kubelet(value.kubelet)
    return entries


def _state(value: Restart) -> object:
    match value.state:
        case StateEdit(find, replace, checksum):
            return {"find": find, "replace": replace, "checksum": checksum}
        case other:
            return _text_or_word(other)


def _text_or_word(state: str | StateText) -> object:
    return {"text": state.text} if isinstance(state, StateText) else state


def _pod(pod: Pod) -> Entries:
    entries: Entries = {
        "name": pod.name,
        "restartPolicy": pod.restart_policy,
        "init": [_container(container) for container in pod.init_containers],
        "containers": [_container(container) for container in pod.containers],
    }
    if pod.requests or pod.limits:
        entries |= {"requests": _amounts(pod.requests), "limits": _amounts(pod.limits)}
    if pod.hints:
        entries["hints"] = dict(pod.hints)
    return entries


def _container(container: Container) -> Entries:
    entries: Entries = {
        "name": container.name,
        "requests": _amounts(container.requests),
        "limits": _amounts(container.limits),
    }
    if container.restart_always:
        entries["sidecar"] = True
    if container.hints:
        entries["hints"] = dict(container.hints)
    return entries


def _amounts(resources: Resources) -> dict[str, str]:
    """Quantities as they were written: two spellings of an amount are not the same to a kubelet."""
    return {name: quantity.written or str(quantity) for name, quantity in resources}

"""`Scenario` and `Machine` → the text of a file that reads back to an equal value.

Files are self-contained: machines stand in them in full, so that a saved failure replays whatever becomes of the topology
files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import yaml

from pinproof.scenario import other_hints
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.configs import DEFAULT
from pinproof.scenario.document import KubeletDocument
from pinproof.scenario.faults import AtWrite, CallFault, Disk, Point, Runtime
from pinproof.scenario.fields import API_VERSION
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.pod_level import HUGEPAGES
from pinproof.scenario.quantity import Quantity
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
    begun,
)

Entries = dict[str, Any]
"""A mapping as it will stand in the file."""

UNNAMED = "inline"
"""Name of a machine that was given none."""


class _Line(Entries):
    """A mapping that stands on one line."""


def write_scenario(scenario: Scenario) -> str:
    """The text of a scenario file."""
    kubelet = scenario.kubelet
    steps = []
    for step in scenario.steps:
        steps.append(_step(step, kubelet))
        restart = begun(step)
        if isinstance(restart, Restart) and restart.kubelet is not None:
            kubelet = restart.kubelet
    return _dump(
        {
            "apiVersion": API_VERSION,
            "kind": "Scenario",
            "metadata": {"name": scenario.name},
            "topology": _topology(scenario.machine),
            "kubelet": _changes(DEFAULT, scenario.kubelet),
            "steps": steps,
        }
    )


def write_machine(machine: Machine) -> str:
    """The text of a topology file."""
    about = {"name": machine.name, "provenance": machine.provenance}
    return _dump(
        {
            "apiVersion": API_VERSION,
            "kind": "Topology",
            "metadata": {key: value for key, value in about.items() if value},
            **_shape(machine),
        }
    )


def _topology(machine: Machine) -> Entries:
    about = {"name": machine.name if machine.name != UNNAMED else "", "provenance": machine.provenance}
    return {key: value for key, value in about.items() if value} | _shape(machine)


def _shape(machine: Machine) -> Entries:
    entries: Entries = {}
    if machine.threads_per_core != 1:
        entries["threadsPerCore"] = machine.threads_per_core
    if not machine.numa:
        entries["numa"] = False
    if machine.os != "linux":
        entries["os"] = machine.os
    entries["nodes"] = [_node(node) for node in machine.nodes]
    return entries


def _node(node: NumaNode) -> Entries:
    entries = _Line({"id": node.id, "memory": str(Quantity.of_bytes(node.memory))})
    if node.cpus:
        entries["cpus"] = str(node.cpus)
    if node.hugepages:
        entries["hugepages"] = {str(Quantity.of_bytes(size)): pages for size, pages in node.hugepages}
    if node.socket is not None:
        entries["socket"] = node.socket
    if node.distances is not None:
        entries["distances"] = list(node.distances)
    return entries


def _changes(old: KubeletConfig, new: KubeletConfig) -> Entries:
    """The fields in which two configurations differ, as they stand in `new`; null for one that is back at its default."""
    entries: Entries = {}
    for field in fields(KubeletConfig):
        value = getattr(new, field.name)
        if value != getattr(old, field.name) or _texts(value) != _texts(getattr(old, field.name)):
            key = KubeletDocument.model_fields[field.name].alias or field.name
            entries[key] = None if value == getattr(DEFAULT, field.name) else _config_value(value)
    return entries


def _texts(value: object) -> object:
    """Reservations as written: equal quantities may be spelled differently, and a kubelet sees the spelling."""
    return _config_value(value) if isinstance(value, tuple) else value


def _config_value(value: object) -> object:
    if not isinstance(value, tuple):
        return value
    if value and isinstance(value[0], MemoryReservation):
        return [_Line({"numaNode": entry.numa_node, "limits": _amounts(dict(entry.limits))}) for entry in value]
    return dict(value)


def _step(step: Step, kubelet: KubeletConfig) -> Entries:
    if isinstance(step, Admit):
        return {"admit": _pod(step.pod)}
    if isinstance(step, AdmitTogether):
        return {"admitTogether": [_pod(pod) for pod in step.pods]}
    if isinstance(step, Remove):
        return {"remove": step.pod}
    if isinstance(step, Exit):
        code = {"code": step.code} if step.code else {}
        return {"exit": {"pod": step.pod, "container": step.container} | code}
    if isinstance(step, Crash):
        return {"crash": {"during": _step(step.during, kubelet), "at": _point(step.at)}}
    if isinstance(step, Disk):
        return {"disk": {"state": step.state, "file": step.file} if step.file else step.state}
    if isinstance(step, Runtime):
        return {"runtime": _call_fault(step.fault) if isinstance(step.fault, CallFault) else "forgets"}
    return {"restart": _restart(step, kubelet)}


def _point(point: Point) -> Entries:
    event = {"write": point.file} if isinstance(point, AtWrite) else {"call": point.method}
    return _Line({**event, "number": point.number, "moment": point.moment})


def _call_fault(fault: CallFault) -> Entries:
    times = {} if fault.how == "hangs" else {"times": fault.times}
    return _Line({"call": fault.method, "how": fault.how, **times})


def _restart(step: Restart, kubelet: KubeletConfig) -> Entries:
    entries: Entries = {}
    if step.state != "keep":
        entries["state"] = _state(step.state)
    if step.cpu_state != "keep":
        entries["cpuState"] = _state(step.cpu_state)
    if step.order:
        entries["order"] = list(step.order)
    if step.signal != "TERM":
        entries["signal"] = step.signal
    if step.kernel:
        entries["kernel"] = step.kernel
    if step.machine is not None:
        entries["topology"] = _topology(step.machine)
    if step.kubelet is not None:
        entries["kubelet"] = _changes(kubelet, step.kubelet)
    if step.kubernetes is not None:
        entries["kubernetes"] = step.kubernetes
    return entries


def _state(state: str | StateEdit | StateText) -> object:
    if isinstance(state, StateText):
        return {"text": state.text}
    if isinstance(state, StateEdit):
        return {"find": state.find, "replace": state.replace, "checksum": state.checksum}
    return state


def _pod(pod: Pod) -> Entries:
    entries: Entries = {"name": pod.name}
    if pod.init_containers:
        entries["initContainers"] = [_container(container) for container in pod.init_containers]
    entries["containers"] = [_container(container) for container in pod.containers]
    if pod.restart_policy != "Always":
        entries["restartPolicy"] = pod.restart_policy
    resources = {"requests": _amounts(dict(pod.requests)), "limits": _amounts(dict(pod.limits))}
    if pod.requests or pod.limits:
        entries["resources"] = {key: texts for key, texts in resources.items() if texts}
    if pod.hints:
        entries["hints"] = other_hints.written(pod.hints)
    return entries | {key: value for key, value in (("by", pod.by), ("replaces", pod.replaces)) if value}


def _container(container: Container) -> Entries:
    entries = _Line({"name": container.name})
    requests, limits = _amounts(dict(container.requests)), _amounts(dict(container.limits))
    both = {
        resource: text for resource, text in requests.items() if limits.get(resource) == text and _shortens(resource)
    }
    entries |= {resource: both[resource] for resource in ("cpu", "memory") if resource in both}
    pages = {
        resource.removeprefix(HUGEPAGES): text for resource, text in both.items() if resource.startswith(HUGEPAGES)
    }
    if pages:
        entries["hugepages"] = pages
    for key, texts in (("requests", requests), ("limits", limits)):
        apart = {resource: text for resource, text in texts.items() if resource not in both}
        if apart:
            entries[key] = apart
    if container.restart_always:
        entries["restartPolicy"] = "Always"
    if container.hints:
        entries["hints"] = other_hints.written(container.hints)
    if container.touch is not None:
        entries["touch"] = container.touch.written or str(container.touch)
    return entries


def _shortens(resource: str) -> bool:
    """Whether the short form has a key for request and limit of this resource at once."""
    return resource in {"cpu", "memory"} or resource.startswith(HUGEPAGES)


def _amounts(amounts: Mapping[str, Quantity]) -> dict[str, str]:
    """Quantities as they were written: two spellings of an amount are not the same to a kubelet."""
    return {resource: amount.written or str(amount) for resource, amount in amounts.items()}


class _Dumper(yaml.SafeDumper):
    """Writes a node, a container or a reservation on one line, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # PyYAML's own signature
        return True


def _one_line(dumper: yaml.SafeDumper, entries: _Line) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", entries, flow_style=True)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Texts with line breaks other than the newline are escaped: PyYAML writes them so that they do not read back."""
    style = '"' if any(mark in text for mark in "\x85\u2028\u2029\ufeff") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(_Line, _one_line)
_Dumper.add_representer(str, _text)


def _dump(document: Entries) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120)

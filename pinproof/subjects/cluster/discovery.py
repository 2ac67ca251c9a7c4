"""What a node is, from what its kernel, its kubelet and its API server say. Pure but for a temporary folder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pinproof.errors import InputError, SubjectError
from pinproof.importer.sysfs import import_sysfs
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.scenario.quantity import Quantity

Document = Mapping[str, Any]

_TEXTS: Final = {
    "memoryManagerPolicy": "memory_manager_policy",
    "topologyManagerPolicy": "topology_manager_policy",
    "topologyManagerScope": "topology_manager_scope",
    "cpuManagerPolicy": "cpu_manager_policy",
    "reservedSystemCPUs": "reserved_system_cpus",
}
_MAPS: Final = {
    "topologyManagerPolicyOptions": "topology_manager_policy_options",
    "kubeReserved": "kube_reserved",
    "systemReserved": "system_reserved",
    "evictionHard": "eviction_hard",
    "featureGates": "feature_gates",
}
_UNKNOWN: Final = ("cpuManagerPolicyOptions",)
"""What changes the outcome and the reference has no word for."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A machine, and whether the kernel below has it as well."""

    machine: Machine
    real: bool
    """The NUMA nodes and CPUs that the kubelet sees are those of the kernel, so that cpusets mean something."""

    cpus: CpuSet
    """Those of the kernel that a process may have."""

    notes: tuple[str, ...] = ()
    """What a `Machine` cannot say of it."""


def shape_of(answer: Document, node: str) -> Shape:
    """The machine from the helper's answer. Raises SubjectError where it cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in answer["files"].items():
            file = Path(folder) / "sys" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (Path(folder) / "proc").mkdir()
        (Path(folder) / "proc" / "meminfo").write_text(answer["meminfo"])
        try:
            imported = import_sysfs(Path(folder) / "sys", name=node)
        except InputError as error:
            raise SubjectError(
                f"read the machine of {node}",
                "; ".join(map(str, error.problems)),
                fault="the node's /sys",
                remedy="`pinproof topology import --help` says what is read",
            ) from error
    machine = imported.machine
    mems = {node.id for node in machine.nodes if node.memory}
    cpus = CpuSet.parse(answer["cpus"])
    real = mems == set(CpuSet.parse(answer["mems"])) and machine.cpus == cpus
    return Shape(machine, real, cpus, imported.notes)


def told(shape: Shape, config: KubeletConfig) -> str:
    """What was found, in one line for people."""
    nodes = [f"{node.id}: {Quantity.of_bytes(node.memory)}, CPUs {node.cpus}" for node in shape.machine.nodes]
    policies = f"{config.memory_manager_policy}, {config.topology_manager_policy} by {config.topology_manager_scope}"
    made = "" if shape.real else " (made: the kernel below has others)"
    return f"NUMA nodes {'; '.join(nodes)}{made}; policies {policies}, CPUs {config.cpu_manager_policy}"


def configuration_of(document: Document, node: str) -> KubeletConfig:
    """The configuration from a kubelet's configz. Raises SubjectError for one that the reference has no words for."""
    unknown = [f"{name}: {document[name]}" for name in _UNKNOWN if document.get(name)]
    if unknown:
        raise SubjectError(
            f"read the configuration of {node}",
            f"it has {', '.join(unknown)}, which the reference does not model",
            fault="what pinproof knows",
            remedy="give another node with --node",
        )
    fields: dict[str, Any] = {ours: document[name] for name, ours in _TEXTS.items() if document.get(name)}
    fields |= {ours: tuple(sorted(document[name].items())) for name, ours in _MAPS.items() if document.get(name)}
    reserved = tuple(_reservation(entry) for entry in document.get("reservedMemory") or ())
    merge = bool(document.get("mergeDefaultEvictionSettings"))
    return KubeletConfig(**fields, reserved_memory=reserved, merge_default_eviction_settings=merge)


def _reservation(entry: Document) -> MemoryReservation:
    limits = tuple((kind, Quantity.parse(text)) for kind, text in sorted(entry["limits"].items()))
    return MemoryReservation(entry["numaNode"], limits)

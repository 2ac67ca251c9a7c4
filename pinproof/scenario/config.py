"""The kubelet configuration of a scenario: those fields of `KubeletConfiguration` that decide memory.

A field that is left out is left out of the kubelet's configuration file too, so the kubelet's own default holds. The
attributes here carry that default; `eviction_hard` alone keeps "unset" apart (None), because an empty map is not the same
as no map (behaviour.md 1.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from pinproof.scenario.quantity import Quantity


@dataclass(frozen=True, slots=True)
class MemoryReservation:
    """One entry of `reservedMemory`."""

    numa_node: int
    limits: tuple[tuple[str, Quantity], ...]
    """(`memory` or `hugepages-<size>`, quantity) in the order written."""


@dataclass(frozen=True, slots=True)
class KubeletConfig:
    """Fields are named as in `KubeletConfiguration`, in Python's spelling."""

    memory_manager_policy: str = "None"
    reserved_memory: tuple[MemoryReservation, ...] = ()
    topology_manager_policy: str = "none"
    topology_manager_scope: str = "container"
    topology_manager_policy_options: tuple[tuple[str, str], ...] = ()
    cpu_manager_policy: str = "none"
    reserved_system_cpus: str = ""
    kube_reserved: tuple[tuple[str, str], ...] = ()
    """(`cpu`, `memory`, `ephemeral-storage` or `pid`; the quantity as written)."""

    system_reserved: tuple[tuple[str, str], ...] = ()
    eviction_hard: tuple[tuple[str, str], ...] | None = None
    """(signal; quantity or percentage as written); None is unset: `memory.available` is 100Mi then."""

    merge_default_eviction_settings: bool = False
    feature_gates: tuple[tuple[str, bool], ...] = ()

    def gate(self, name: str, *, default: bool) -> bool:
        """Whether a feature gate is on; `default` is how the release has it."""
        return dict(self.feature_gates).get(name, default)

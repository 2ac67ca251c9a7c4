"""What an operator changes in a kubelet's configuration between two starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pinproof.fuzz.amounts import amount
from pinproof.fuzz.configs import affordable
from pinproof.fuzz.draws import Draws
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.refusals import spoilt
from pinproof.reference.configuration import DEFAULT_MAX_NODES, PLRM, TOPOLOGY_POLICIES
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine

Change = Callable[[Draws, KubeletConfig, Machine], KubeletConfig]
"""The configuration after a change, or the same where there is nothing to change."""


def changed(draws: Draws, config: KubeletConfig, machine: Machine, profile: Profile) -> tuple[KubeletConfig, bool]:
    """The configuration after some change, and whether a kubelet probably starts with it on the state that it has."""
    managed = config.gate(PLRM, default=False)
    if profile.pod_level and profile.behaviour.has_pod_level_managers and draws.chance(80 if managed else 15):
        return replace(config, feature_gates=() if managed else ((PLRM, True),)), not managed
    if draws.chance(40):
        return draws.pick(_HARMLESS)(draws, config, machine), len(machine.nodes) <= DEFAULT_MAX_NODES
    if draws.chance(20):
        return spoilt(draws, config, machine, profile), False
    return draws.pick(_REFUSED)(draws, config, machine), False


def _policy(draws: Draws, config: KubeletConfig, machine: Machine) -> KubeletConfig:
    if not affordable(machine, static_cpus=True):
        return config
    return replace(config, topology_manager_policy=draws.pick(TOPOLOGY_POLICIES))


def _scope(draws: Draws, config: KubeletConfig, machine: Machine) -> KubeletConfig:
    scope = "pod" if config.topology_manager_scope == "container" else "container"
    return replace(config, topology_manager_scope=scope)


def _memory_policy(draws: Draws, config: KubeletConfig, machine: Machine) -> KubeletConfig:
    return replace(config, memory_manager_policy="None" if config.memory_manager_policy != "None" else "Static")


def _cpu_policy(draws: Draws, config: KubeletConfig, machine: Machine) -> KubeletConfig:
    return replace(config, cpu_manager_policy="none" if config.cpu_manager_policy == "static" else "static")


def _reserved_cpus(draws: Draws, config: KubeletConfig, machine: Machine) -> KubeletConfig:
    others = sorted(machine.cpus - CpuSet.parse(config.reserved_system_cpus))
    if not config.reserved_system_cpus or not others:
        return config
    return replace(config, reserved_system_cpus=str(draws.pick(others)))


def _swapped_reservations(draws: Draws, config: KubeletConfig, machine: Machine) -> KubeletConfig:
    if len(config.reserved_memory) < 2:
        return config
    first, second, *others = config.reserved_memory
    swapped = (replace(first, limits=second.limits), replace(second, limits=first.limits))
    return replace(config, reserved_memory=(*swapped, *others))


_HARMLESS: tuple[Change, ...] = (_policy, _scope)
_REFUSED: tuple[Change, ...] = (_memory_policy, _cpu_policy, _reserved_cpus, _swapped_reservations)
"""What a kubelet refuses mostly, over what it finds in its files."""


def without_absent(config: KubeletConfig, machine: Machine) -> KubeletConfig:
    """The configuration for a machine that lost nodes: what was reserved on them is reserved on the first node instead."""
    there = {node.id for node in machine.nodes}
    kept = [entry for entry in config.reserved_memory if entry.numa_node in there]
    lost = [entry for entry in config.reserved_memory if entry.numa_node not in there]
    if not lost or not kept:
        return config
    total = sum(quantity.value() for entry in (kept[0], *lost) for _, quantity in entry.limits)
    return replace(config, reserved_memory=(replace(kept[0], limits=(("memory", amount(total)),)), *kept[1:]))

"""Configurations that a kubelet refuses at start (behaviour.md 1), made of one that it accepts: one for each refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pinproof.fuzz.amounts import parsed
from pinproof.fuzz.draws import Draws
from pinproof.fuzz.profile import Profile
from pinproof.reference.configuration import CLOSEST, MAX_NODES, PLR, PLRM
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.machine import Machine
from pinproof.scenario.quantity import Quantity

Spoil = Callable[[KubeletConfig, Machine], KubeletConfig]


def spoilt(draws: Draws, config: KubeletConfig, machine: Machine, profile: Profile) -> KubeletConfig:
    """A configuration with one thing wrong. Some of them a kubelet takes all the same, since it does not look."""
    behaviour = profile.behaviour
    ways = _SPOILT
    if profile.pod_level and behaviour.pod_level_resources_by_default:
        ways += (_with(feature_gates=((PLR, False),)),)
        if behaviour.has_pod_level_managers:
            ways += (_with(feature_gates=((PLR, False), (PLRM, True))),)
    return draws.pick(ways)(config, machine)


def _with_limit(kind: str, text: str) -> Spoil:
    """One more reservation on the first node."""

    def spoil(config: KubeletConfig, machine: Machine) -> KubeletConfig:
        entry = MemoryReservation(machine.nodes[0].id, ((kind, parsed(text)),))
        return replace(config, reserved_memory=(*config.reserved_memory, entry))

    return spoil


def _unknown_node(config: KubeletConfig, machine: Machine) -> KubeletConfig:
    entry = MemoryReservation(machine.nodes[-1].id + 1, (("memory", parsed("1Mi")),))
    return replace(config, reserved_memory=(*config.reserved_memory, entry))


def _one_byte_off(config: KubeletConfig, machine: Machine) -> KubeletConfig:
    first, *others = config.reserved_memory or (MemoryReservation(machine.nodes[0].id, (("memory", parsed("1Mi")),)),)
    kind, quantity = first.limits[0]
    less = Quantity(nano=quantity.nano - 10**9, written=str(quantity.nano // 10**9 - 1))
    return replace(config, reserved_memory=(replace(first, limits=((kind, less),)), *others))


def _in_thousandths(config: KubeletConfig, machine: Machine) -> KubeletConfig:
    """The same amount, written so that a kubelet cannot take it for whole bytes."""
    first, *others = config.reserved_memory or (MemoryReservation(machine.nodes[0].id, (("memory", parsed("1Mi")),)),)
    kind, quantity = first.limits[0]
    same = Quantity.parse(f"{quantity.value() * 1000}m")
    return replace(config, reserved_memory=(replace(first, limits=((kind, same),)), *others))


def _with(**changes: object) -> Spoil:
    return lambda config, _: replace(config, **changes)  # type: ignore[arg-type]  # names and values stand in _SPOILT


_SPOILT: tuple[Spoil, ...] = (
    _one_byte_off,
    _unknown_node,
    _with_limit("memory", "1Mi"),
    _with_limit("memory", "0"),
    _with_limit("cpu", "1"),
    _with_limit("hugepages-2Mi", "2Mi"),
    _with(reserved_memory=()),
    _with(reserved_memory=(), kube_reserved=(), eviction_hard=()),
    _with(memory_manager_policy="static"),
    _with(memory_manager_policy="BestEffort"),
    _with(topology_manager_policy="strict"),
    _with(topology_manager_scope="node"),
    _with(topology_manager_policy="restricted", topology_manager_policy_options=((CLOSEST, "yes"),)),
    _with(topology_manager_policy="restricted", topology_manager_policy_options=((MAX_NODES, "many"),)),
    _with(topology_manager_policy="restricted", topology_manager_policy_options=((MAX_NODES, "7"),)),
    _with(topology_manager_policy="restricted", topology_manager_policy_options=(("spread", "true"), (CLOSEST, "1"))),
    _with(topology_manager_policy="best-effort", topology_manager_policy_options=((CLOSEST, "maybe"), ("x", "y"))),
    _with(cpu_manager_policy="dynamic"),
    _with(cpu_manager_policy="static", reserved_system_cpus="", system_reserved=()),
    _with(kube_reserved=(("memory", "64Ti"),)),
    _with(kube_reserved=(("memory", "64Ti"),), memory_manager_policy="None"),
    _with(cpu_manager_policy="static", system_reserved=(("cpu", "4000"),), reserved_system_cpus=""),
    _with(topology_manager_policy="best-effort", topology_manager_policy_options=((CLOSEST, "true"),)),
    _with(reserved_system_cpus="8000"),
    _in_thousandths,
    _with(kube_reserved=(("hugepages-2Mi", "2Mi"),)),
    _with(system_reserved=(("memory", "-1Mi"),)),
)

"""Drawn kubelet configurations: accepted ones mostly, whose reservation is just what Node Allocatable asks for.

A kubelet refuses many configurations at start (behaviour.md 1). They are worth little more than one step each, so they are
rare, but every refusal is among them (`refusals.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pinproof.fuzz.amounts import GIB, KIB, MIB, amount
from pinproof.fuzz.draws import Draws, Odds
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.refusals import spoilt
from pinproof.reference.configuration import (
    CLOSEST,
    DEFAULT_MAX_NODES,
    MAX_NODES,
    PLR,
    PLRM,
    node_reservation,
    settle,
)
from pinproof.reference.outcomes import StartRefused
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.machine import Machine

POLICIES = Odds(("none", 10), ("best-effort", 30), ("restricted", 30), ("single-numa-node", 30))
_CHEAP_POLICIES = Odds(("none", 40), ("single-numa-node", 60))
_EVICTION = Odds(("default", 60), ("given", 25), ("none", 7), ("percent", 5), ("merged", 3))
_RESERVES = (256 * MIB, 512 * MIB, GIB, 128 * MIB, 300 * MIB, 257 * MIB + 4 * KIB)

MAX_COMBINATIONS = 100_000
"""Most combinations of hints that a Topology Manager is made to merge: it tries each, a microsecond long."""


def draw_config(draws: Draws, machine: Machine, profile: Profile) -> tuple[KubeletConfig, KubeletConfig]:
    """A configuration, and the one that an operator meant: the same, unless a kubelet refuses the first."""
    static_cpus, gates = draws.chance(55), _gates(draws, profile)
    policy = draws.weigh(POLICIES if affordable(machine, static_cpus=static_cpus) else _CHEAP_POLICIES)
    config = KubeletConfig(
        memory_manager_policy=_memory_policy(draws, machine),
        topology_manager_policy=policy,
        topology_manager_scope="pod" if draws.chance(75 if (PLRM, True) in gates else 45) else "container",
        topology_manager_policy_options=_options(draws, machine, profile),
        cpu_manager_policy="static" if static_cpus else "none",
        reserved_system_cpus=_reserved_cpus(draws, machine) if draws.chance(90 if static_cpus else 10) else "",
        feature_gates=gates,
    )
    meant = _reserved(draws, config, machine, profile)
    return (spoilt(draws, meant, machine, profile) if draws.chance(3) else meant), meant


def affordable(machine: Machine, *, static_cpus: bool) -> bool:
    """Whether merging the hints of all resources stays quick under a policy that keeps every hint."""
    masks = (1 << len(machine.nodes)) - 1
    resources = 1 + static_cpus + len(machine.nodes[0].hugepages)
    return bool(masks**resources <= MAX_COMBINATIONS)


def _memory_policy(draws: Draws, machine: Machine) -> str:
    usual = "BestEffort" if (machine.os == "windows") != draws.chance(0.3) else "Static"
    return "None" if draws.chance(2) else usual


def _gates(draws: Draws, profile: Profile) -> tuple[tuple[str, bool], ...]:
    """The gates of pod-level resources, where they are not as the release has them."""
    behaviour = profile.behaviour
    if not profile.pod_level:
        return ()
    if not behaviour.pod_level_resources_by_default:
        return ((PLR, True),) if draws.chance(20) else ()
    if draws.chance(2):
        resizes = (("InPlacePodLevelResourcesVerticalScaling", False),) * behaviour.resizes_pod_level_resources
        mends = (("PodLevelResourcesFixDefaulting", False), ("PodLevelResourcesFixKubeletQOSClass", False))
        return ((PLR, False), *resizes, *(mends * behaviour.mends_pod_level_resources))
    return ((PLRM, True),) if behaviour.has_pod_level_managers and draws.chance(30) else ()


def _options(draws: Draws, machine: Machine, profile: Profile) -> tuple[tuple[str, str], ...]:
    options = []
    crashes = machine.nodes[-1].id >= len(machine.nodes)  # the kubelet looks distances up by node id
    if machine.nodes[0].distances is not None and draws.chance(3 if crashes else 30):
        options.append((CLOSEST, "false" if draws.chance(10) else "true"))
    many = len(machine.nodes) > DEFAULT_MAX_NODES
    if profile.behaviour.knows_max_allowable_numa_nodes and draws.chance(85 if many else 3):
        options.append((MAX_NODES, str(max(len(machine.nodes), draws.integer(DEFAULT_MAX_NODES, 16)))))
    return tuple(options)


def _reserved_cpus(draws: Draws, machine: Machine) -> str:
    first = min(machine.nodes[0].cpus)
    last = machine.nodes[-1].cpus
    return f"{first},{max(last)}" if last and max(last) > first and draws.chance(20) else str(first)


def _reserved(draws: Draws, config: KubeletConfig, machine: Machine, profile: Profile) -> KubeletConfig:
    """The configuration with reservations, `reservedMemory` adding up to what the others keep."""
    eviction = draws.weigh(_EVICTION)
    shares = _shares(draws, machine)
    due = sum(shares.values())
    if machine.os == "windows" and due < 500 * MIB:
        eviction = "given"
    if eviction in {"percent", "merged"}:
        return _computed(draws, config, machine, profile, eviction)
    usual = (500 if machine.os == "windows" else 100) * MIB
    threshold = {"default": usual, "none": 0, "given": min(due, draws.pick((50, 200, 101)) * MIB)}[eviction]
    signal = {"default": None, "none": (), "given": (("memory.available", amount(threshold).written),)}[eviction]
    return replace(
        config,
        reserved_memory=_entries(shares),
        kube_reserved=(("memory", amount(due - threshold).written),) if due > threshold else (),
        system_reserved=_system_cpu(draws, config),
        eviction_hard=signal,
    )


def _system_cpu(draws: Draws, config: KubeletConfig) -> tuple[tuple[str, str], ...]:
    """What the CPU manager needs where no CPUs are named for the system."""
    if config.reserved_system_cpus or config.cpu_manager_policy == "none":
        return ()
    return (("cpu", draws.pick(("1", "500m", "1500m"))),)


def _shares(draws: Draws, machine: Machine) -> dict[int, int]:
    """Bytes for the system by node id: on every node, or on some; the first always has some."""
    alike = draws.pick(_RESERVES) if draws.chance(60) else 0
    everywhere = draws.chance(70)
    shares = {}
    for index, node in enumerate(machine.nodes):
        room = node.memory - sum(size * count for size, count in node.hugepages)
        share = min(alike or draws.pick(_RESERVES), room // 2)
        if node.hugepages and draws.chance(0.3):
            share = node.memory  # with the huge pages more than there is: the kubelet counts on, modulo 2^64
        if share and (index == 0 or everywhere or draws.chance(50)):
            shares[node.id] = share
    return shares


def _computed(draws: Draws, config: KubeletConfig, machine: Machine, profile: Profile, eviction: str) -> KubeletConfig:
    """A threshold that the kubelet works out: the whole of it is kept on the first node."""
    kube = (("memory", amount(draws.pick((128, 200, 256)) * MIB).written),)
    signals = (
        ("memory.available", draws.pick(("1%", "0.5%", "1.7%")))
        if eviction == "percent"
        else ("nodefs.available", "5%")
    )
    config = replace(
        config,
        kube_reserved=kube,
        system_reserved=_system_cpu(draws, config),
        eviction_hard=(signals,),
        merge_default_eviction_settings=eviction == "merged",
    )
    due = node_reservation(machine, config, profile.behaviour)["memory"].value()
    first = machine.nodes[0]
    return replace(config, reserved_memory=_entries({first.id: min(due, first.memory)}))


def _entries(shares: Mapping[int, int]) -> tuple[MemoryReservation, ...]:
    return tuple(MemoryReservation(node, (("memory", amount(share)),)) for node, share in shares.items())


def starts(config: KubeletConfig, machine: Machine, profile: Profile) -> bool:
    """Whether a kubelet without a state file starts. It takes as long as the rest of a scenario, so ask rarely."""
    try:
        return not settle(machine, config, profile.behaviour, lambda options: next(iter(options))).late_fault
    except StartRefused:
        return False


def may_crash(config: KubeletConfig, machine: Machine) -> bool:
    """Whether some admission ends the kubelet: distances are looked up by node id, also where ids have gaps."""
    return machine.nodes[-1].id >= len(machine.nodes) and (CLOSEST, "true") in config.topology_manager_policy_options

"""From a machine and a kubelet configuration to settings, or to the words with which the kubelet refuses (behaviour.md 1).

Checks run in the kubelet's order, so that the first failing one is the one a user sees:

1. the values of the configuration file (also for policy None),
2. the Topology Manager's options and the number of NUMA nodes,
3. the CPU manager's reservation,
4. the memory manager's policy and its reservation against Node Allocatable.

Where the kubelet walks a Go map and stops at the first fault, `choose` says which one it met.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pinproof.reference.behaviour import Behaviour
from pinproof.reference.books import Books, default_books
from pinproof.reference.cpu_manager import CpuManager
from pinproof.reference.cpu_picker import Cpus, cpus_of, pick, topology_of
from pinproof.reference.outcomes import StartRefused, every_order
from pinproof.reference.requests import PodLevel, is_memory
from pinproof.reference.topology_manager import Merger
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.scenario.quantity import Quantity

Choose = Callable[[Sequence[str] | Mapping[str, float]], str]
"""Picks one of several texts that Go's map order leaves open; a mapping says how likely each is."""

MAX_PODS = 110
"""`maxPods` where it is left out, which scenarios do."""

TOPOLOGY_POLICIES = ("none", "best-effort", "restricted", "single-numa-node")
TOPOLOGY_SCOPES = ("container", "pod")
CLOSEST = "prefer-closest-numa-nodes"
MAX_NODES = "max-allowable-numa-nodes"
DEFAULT_MAX_NODES = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration that a kubelet accepted on this machine."""

    policy: str
    """Memory manager policy: `Static` or `None`; `BestEffort` on Windows."""

    scope: str
    merger: Merger | None
    """None for topology manager policy `none`."""

    empty: Books
    """The books of the unused machine; for policy None without any node."""

    cpus: CpuManager | None
    """None for CPU manager policy `none`."""

    capacity: Mapping[str, int]
    """Node Allocatable by resource: bytes, and CPUs in thousandths."""

    late_fault: str
    """A fault that the kubelet finds only after its managers have started and written their files; empty for none."""

    pod_level: PodLevel
    """What the kubelet makes of pod-level resources."""

    windows: bool = False
    memory_manager: bool = True
    """There is one: gate `MemoryManager`. Without it the policy is `None` here, and nobody reads or writes the state file."""

    @property
    def pod_level_managers(self) -> bool:
        """Gate `PodLevelResourceManagers`."""
        return self.pod_level == "managed"


def settle(machine: Machine, config: KubeletConfig, behaviour: Behaviour, choose: Choose) -> Settings:
    """Work out the settings; StartRefused with the kubelet's words where it does not accept the configuration."""
    _check_memory_manager_gate(config, behaviour)
    _check_gates(config, behaviour, choose)
    memory_manager = config.gate(MEMORY_MANAGER, default=True)
    config = config if memory_manager else replace(config, memory_manager_policy="None")
    _check_values(config)
    _check_reserved_cpus(machine, config)
    reservation = node_reservation(machine, config, behaviour)
    _check_threshold(machine, config, behaviour)
    merger = _topology_manager(machine, config, behaviour, choose)
    cpus = _cpu_manager(machine, config, reservation)
    empty = _memory_manager(machine, config, reservation, behaviour, choose)
    return Settings(
        policy=config.memory_manager_policy,
        scope=config.topology_manager_scope,
        merger=merger,
        empty=empty,
        cpus=cpus,
        capacity=_allocatable(machine, reservation),
        late_fault=_beyond_capacity(machine, reservation),
        pod_level=pod_level_of(config, behaviour),
        windows=machine.os == "windows",
        memory_manager=memory_manager,
    )


MEMORY_MANAGER, PLR, PLRM = "MemoryManager", "PodLevelResources", "PodLevelResourceManagers"


def pod_level_of(config: KubeletConfig, behaviour: Behaviour) -> PodLevel:
    """What a kubelet makes of pod-level resources (10.1, 10.3)."""
    on = config.gate(PLR, default=behaviour.pod_level_resources_by_default)
    if not behaviour.knows_pod_level_resources or not on:
        return "unsupported" if behaviour.skips_unsupported_pod_level_resources else "ignored"
    if behaviour.has_pod_level_managers and config.gate(PLRM, default=False):
        return "managed"
    if behaviour.skips_pod_level_resources:
        return "skipped"
    return "counted" if behaviour.counts_pod_level_huge_pages else "counted-without-pages"


def _check_memory_manager_gate(config: KubeletConfig, behaviour: Behaviour) -> None:
    """A gate that is gone is not even to be named, and one that is locked only as it is."""
    if behaviour.memory_manager_gate == "gone" and MEMORY_MANAGER in dict(config.feature_gates):
        raise StartRefused(f"unrecognized feature gate: {MEMORY_MANAGER}")
    if behaviour.memory_manager_gate == "locked" and not config.gate(MEMORY_MANAGER, default=True):
        raise StartRefused(f"cannot set feature gate {MEMORY_MANAGER} to false, feature is locked to true")


def _check_gates(config: KubeletConfig, behaviour: Behaviour, choose: Choose) -> None:
    """A gate needs those it depends on; all that are missing are told, in the order of a Go map."""
    if config.gate(PLR, default=behaviour.pod_level_resources_by_default):
        return
    known = {PLRM: False} if behaviour.has_pod_level_managers else {}
    known |= {"InPlacePodLevelResourcesVerticalScaling": True} if behaviour.resizes_pod_level_resources else {}
    if behaviour.mends_pod_level_resources:
        known |= {"PodLevelResourcesFixDefaulting": True, "PodLevelResourcesFixKubeletQOSClass": True}
    faults = [
        f"{gate} is enabled, but depends on features that are disabled: [{PLR}]"
        for gate, default in known.items()
        if config.gate(gate, default=default)
    ]
    if faults:
        raise StartRefused(choose(every_order(faults, ", ")))


def _check_reserved_cpus(machine: Machine, config: KubeletConfig) -> None:
    """Before any manager is made: only CPUs of the machine can be reserved."""
    if not CpuSet.parse(config.reserved_system_cpus) <= machine.cpus:
        raise StartRefused(
            f"reserved-cpus: {config.reserved_system_cpus} is not a subset of online-cpus: {machine.cpus}"
        )


def _check_threshold(machine: Machine, config: KubeletConfig, behaviour: Behaviour) -> None:
    """A threshold in bytes is more than nothing; in per cent it may be 0."""
    threshold = _memory_threshold(config, behaviour, usual=_usual_threshold(machine))
    if threshold and not threshold.endswith("%") and Quantity.parse(threshold) <= Quantity.ZERO:
        raise StartRefused(f"eviction threshold memory.available must be positive: {Quantity.parse(threshold)}")


# --- 1. values ------------------------------------------------------------------------------------------------------


def _check_values(config: KubeletConfig) -> None:
    """Checks that run for every policy (1.2)."""
    if config.topology_manager_policy not in TOPOLOGY_POLICIES:
        raise StartRefused(
            "invalid configuration: topologyManagerPolicy (--topology-manager-policy) "
            f'"{config.topology_manager_policy}" must be one of: '
        )
    if config.topology_manager_scope not in TOPOLOGY_SCOPES:
        raise StartRefused(
            "invalid configuration: topologyManagerScope (--topology-manager-scope) "
            f'"{config.topology_manager_scope}" must be one of: "container", or "pod"'
        )
    seen: set[tuple[int, str]] = set()
    for entry in config.reserved_memory:
        for memory_type, quantity in entry.limits:
            if not is_memory(memory_type):
                raise StartRefused(
                    f'invalid configuration: the limit type "{memory_type}" for NUMA node {entry.numa_node} is not '
                    "supported, only [memory hugepages-<HugePageSize>] is accepted"
                )
            if quantity.is_zero():
                raise StartRefused(
                    f"invalid configuration: reserved memory may not be zero for NUMA node {entry.numa_node} "
                    f'and resource "{memory_type}"'
                )
            if (entry.numa_node, memory_type) in seen:
                raise StartRefused(
                    "invalid configuration: the reserved memory has a duplicate value for NUMA node "
                    f'{entry.numa_node} and resource "{memory_type}"'
                )
            seen.add((entry.numa_node, memory_type))


# --- 2. Topology Manager --------------------------------------------------------------------------------------------


_NO_DISTANCES_ON_WINDOWS = (
    f'the "{CLOSEST}" policy option is not supported on Windows because NUMA node distances are not available'
)


def _topology_manager(machine: Machine, config: KubeletConfig, behaviour: Behaviour, choose: Choose) -> Merger | None:
    """Options and the limit on nodes; policy `none` looks at neither (5.6)."""
    if config.topology_manager_policy == "none":
        return None
    closest, limit = False, DEFAULT_MAX_NODES
    faults = []
    for option, value in config.topology_manager_policy_options:
        try:
            if option == CLOSEST:
                closest = _boolean(option, value)
            elif option == MAX_NODES and behaviour.knows_max_allowable_numa_nodes:
                limit = _node_limit(option, value)
            else:
                raise StartRefused(f'unknown Topology Manager Policy option: "{option}"')
        except StartRefused as fault:
            faults.append(str(fault))
    if faults:
        raise StartRefused(choose(faults))
    nodes = machine.seen()
    if closest and any(node.distances is None for node in nodes):
        named = machine.os == "windows" and behaviour.says_that_windows_has_no_distances
        why = _NO_DISTANCES_ON_WINDOWS if named else "error getting NUMA distances from cadvisor"
        raise StartRefused(f"cannot discover NUMA topology: {why}")
    if len(nodes) > limit:
        raise StartRefused(f"unsupported on machines with more than {limit} NUMA Nodes")
    return Merger(
        policy=config.topology_manager_policy,
        all_nodes=(1 << len(nodes)) - 1,
        ids=tuple(node.id for node in nodes),
        distances=tuple(node.distances for node in nodes),
        prefer_closest=closest,
    )


def _boolean(option: str, value: str) -> bool:
    """Go's ParseBool."""
    if value in {"1", "t", "T", "TRUE", "true", "True"}:
        return True
    if value in {"0", "f", "F", "FALSE", "false", "False"}:
        return False
    raise StartRefused(f'bad value for option "{option}"')


def _node_limit(option: str, value: str) -> int:
    try:
        limit = int(value)
    except ValueError:
        raise StartRefused(f'unable to convert policy option to integer "{option}"') from None
    if limit < DEFAULT_MAX_NODES:
        raise StartRefused(f'the minimum value of "{option}" should not be less than {DEFAULT_MAX_NODES}')
    return limit


# --- Node Allocatable -----------------------------------------------------------------------------------------------


def node_reservation(machine: Machine, config: KubeletConfig, behaviour: Behaviour) -> dict[str, Quantity]:
    """What is kept from pods, by resource: system + kube + hard eviction threshold; only what is not zero (1.3)."""
    system, kube = dict(config.system_reserved), dict(config.kube_reserved)
    if config.reserved_system_cpus:
        # --reserved-cpus replaces whatever the two lists say about cpu.
        kube.pop("cpu", None)
        system["cpu"] = str(len(CpuSet.parse(config.reserved_system_cpus)))
    total: dict[str, Quantity] = {}
    kube_read, system_read = _read_reservation(kube), _read_reservation(system)
    for reserved in (system_read, kube_read):
        for resource, quantity in reserved.items():
            total[resource] = total.get(resource, Quantity.ZERO) + quantity
    threshold = _memory_threshold(config, behaviour, usual=_usual_threshold(machine))
    if threshold:
        total["memory"] = total.get("memory", Quantity.ZERO) + _amount(threshold, machine.memory)
    return {resource: quantity for resource, quantity in total.items() if not quantity.is_zero()}


def _read_reservation(reserved: Mapping[str, str]) -> dict[str, Quantity]:
    read = {}
    for resource, text in reserved.items():
        if resource not in {"cpu", "memory", "ephemeral-storage", "pid"}:
            raise StartRefused(f'cannot reserve "{resource}" resource')
        read[resource] = Quantity.parse(text)
        if read[resource] < Quantity.ZERO:
            raise StartRefused(f'resource quantity for "{resource}" cannot be negative: {text}')
    return read


def _usual_threshold(machine: Machine) -> str:
    return "500Mi" if machine.os == "windows" else "100Mi"


def _memory_threshold(config: KubeletConfig, behaviour: Behaviour, *, usual: str) -> str:
    """The hard threshold of `memory.available`; a map without it means none at all, unless defaults are merged (1.33)."""
    if config.eviction_hard is None:
        return usual
    default = usual if config.merge_default_eviction_settings and behaviour.merges_default_eviction else ""
    return dict(config.eviction_hard).get("memory.available", default)


def _amount(threshold: str, capacity: int) -> Quantity:
    """A threshold in bytes; a percentage goes through 32-bit arithmetic, as in the kubelet."""
    if not threshold.endswith("%"):
        return Quantity.parse(threshold)
    fraction = _float32(_float32(float(threshold.rstrip("%"))) / 100)
    return Quantity.of_bytes(int(float(capacity) * fraction))


def _float32(value: float) -> float:
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)


def _beyond_capacity(machine: Machine, reservation: Mapping[str, Quantity]) -> str:
    """The refusal of a reservation that the machine does not have (1.3); its amounts are printed as Go structs."""
    capacity = {"cpu": Quantity.parse(str(len(machine.cpus))), "memory": Quantity.of_bytes(machine.memory)}
    for resource, quantity in reservation.items():
        if resource in capacity and quantity > capacity[resource]:
            return f'invalid Node Allocatable configuration. Resource "{resource}" has a reservation of '
    return ""


def _allocatable(machine: Machine, reservation: Mapping[str, Quantity]) -> dict[str, int]:
    """What pods may request of the node together; huge pages are taken off `memory`."""
    pages = {f"hugepages-{Quantity.of_bytes(size)}": size * count for size, count in machine.hugepages.items()}
    memory = machine.memory - reservation.get("memory", Quantity.ZERO).value() - sum(pages.values())
    cpu = len(machine.cpus) * 1000 - reservation.get("cpu", Quantity.ZERO).milli()
    return {"pods": MAX_PODS, "cpu": max(0, cpu), "memory": max(0, memory), **pages}


# --- 3. CPU manager -------------------------------------------------------------------------------------------------


def _cpu_manager(machine: Machine, config: KubeletConfig, reservation: Mapping[str, Quantity]) -> CpuManager | None:
    if config.cpu_manager_policy == "none":
        return None
    if config.cpu_manager_policy != "static":
        raise StartRefused(f'unknown policy: "{config.cpu_manager_policy}"')
    if "cpu" not in reservation:
        raise StartRefused("[cpumanager] unable to determine reserved CPU resources for static policy")
    wanted = math.ceil(reservation["cpu"].milli() / 1000)
    topology = topology_of(machine)
    if config.reserved_system_cpus:
        reserved: Cpus | None = cpus_of(CpuSet.parse(config.reserved_system_cpus))
    else:
        reserved = pick(topology, topology.all, wanted)
    if reserved is None:
        raise StartRefused("[cpumanager] unable to reserve the required amount of CPUs")
    return CpuManager(topology, reserved)


# --- 4. memory manager ----------------------------------------------------------------------------------------------


def _memory_manager(
    machine: Machine,
    config: KubeletConfig,
    reservation: Mapping[str, Quantity],
    behaviour: Behaviour,
    choose: Choose,
) -> Books:
    """The default books of policies Static and BestEffort, after their checks (1.4); books without nodes for None."""
    if config.memory_manager_policy == "None":
        return default_books([])
    _check_policy(config.memory_manager_policy, behaviour, windows=machine.os == "windows")
    _check_reservations(machine, config, reservation, choose)
    reserved = {
        (entry.numa_node, memory_type): quantity.exact_int()
        for entry in config.reserved_memory
        for memory_type, quantity in entry.limits
    }
    if None in reserved.values():
        raise StartRefused("could not covert a variable of type Quantity to int64")
    if sum(size or 0 for (_, memory_type), size in reserved.items() if memory_type == "memory") <= 0:
        raise StartRefused("[memorymanager] you should specify the system reserved memory")

    nodes = []
    for node in machine.seen():
        totals = {f"hugepages-{Quantity.of_bytes(size)}": size * count for size, count in node.hugepages}
        totals["memory"] = node.memory
        nodes.append((node.id, {t: (total, reserved.get((node.id, t)) or 0) for t, total in totals.items()}))
    return default_books(nodes)


def _check_policy(policy: str, behaviour: Behaviour, *, windows: bool) -> None:
    """Each operating system has one policy beside None (9)."""
    if policy == "BestEffort" and behaviour.has_best_effort:
        if not windows:
            raise StartRefused('policy "BestEffort" is not available for platform "linux"')
    elif policy != "Static":
        raise StartRefused(f'unknown policy: "{policy}"')
    elif windows and behaviour.has_best_effort:
        raise StartRefused('policy "Static" is not available on Windows')


def _check_reservations(
    machine: Machine, config: KubeletConfig, reservation: Mapping[str, Quantity], choose: Choose
) -> None:
    """Every reserved type has to add up to exactly what Node Allocatable keeps of it (1.4 steps 2 and 3)."""
    known = {node.id for node in machine.seen()}
    reserved: dict[str, Quantity] = {}
    for entry in config.reserved_memory:
        if entry.numa_node not in known:
            raise StartRefused(
                f"the reserved memory configuration references a NUMA node {entry.numa_node} "
                "that does not exist on this machine"
            )
        for memory_type, quantity in entry.limits:
            reserved[memory_type] = reserved.get(memory_type, Quantity.ZERO) + quantity
    due = {resource: quantity for resource, quantity in reservation.items() if is_memory(resource)}
    faults = [
        f'the total amount "{ours}" of type "{memory_type}" is not equal to the value "{theirs}" '
        "determined by Node Allocatable feature"
        for memory_type in sorted(reserved.keys() | due.keys())
        if (ours := reserved.get(memory_type, Quantity.ZERO)) != (theirs := due.get(memory_type, Quantity.ZERO))
    ]
    if faults:
        raise StartRefused(choose(faults))

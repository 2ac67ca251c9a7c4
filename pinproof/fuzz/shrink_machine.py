"""Simpler machines and configurations: fewer nodes, no huge pages, plain numbers; defaults instead of settings.

A reservation has to add up to what the configuration holds back, or the kubelet does not start. So whatever changes the
nodes takes the reservation with it: what a lost node had is taken from `kubeReserved` too, or the whole is replaced by a
plain one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from typing import Any

from pinproof.reference.configuration import TOPOLOGY_POLICIES
from pinproof.running.configuration import MAX_NODES, static
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.contents import machines
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, OtherHints, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Restart, Scenario, Step

GI = 1 << 30
DEFAULT = KubeletConfig()

PAIRS = ("topology_manager_policy_options", "feature_gates", "eviction_hard", "kube_reserved", "system_reserved")
"""Fields of a configuration that are pairs of a name and a value."""

EveryMachine = Callable[[Machine], Machine]


def simpler_machines(scenario: Scenario) -> Iterator[Scenario]:
    """The machine with a node less, or plainer; in all its shapes, where restarts change it."""
    for node in reversed(scenario.machine.nodes):
        yield from _without_node(scenario, node.id)
    sizes = dict.fromkeys(size for node in scenario.machine.nodes for size, _ in node.hugepages)
    if sizes:
        yield _mapped(scenario, lambda machine: _every_node(machine, lambda node: replace(node, hugepages=())))
        yield from (_mapped(scenario, _without_pages(size)) for size in sizes)
    yield _mapped(scenario, _plain)
    yield _mapped(scenario, lambda machine: replace(machine, numa=True))
    yield _mapped(scenario, lambda machine: replace(machine, threads_per_core=1))
    yield _mapped(scenario, lambda machine: _every_node(machine, lambda node: replace(node, socket=None)))
    yield _mapped(scenario, lambda machine: _every_node(machine, lambda node: replace(node, distances=None)))
    yield _renumbered(scenario)
    yield _mapped(scenario, _dense_cpus)
    for node in scenario.machine.nodes:
        for size in _rounder(node.memory):
            yield _mapped(scenario, _with_memory(node.id, size))


def _mapped(scenario: Scenario, change: EveryMachine) -> Scenario:
    """Every machine of the scenario changed."""
    steps: tuple[Step, ...] = tuple(
        replace(step, machine=change(step.machine)) if isinstance(step, Restart) and step.machine else step
        for step in scenario.steps
    )
    return replace(scenario, machine=change(scenario.machine), steps=steps)


def _every_node(machine: Machine, change: Callable[[NumaNode], NumaNode]) -> Machine:
    return replace(machine, nodes=tuple(change(node) for node in machine.nodes))


def _without_pages(size: int) -> EveryMachine:
    def less(node: NumaNode) -> NumaNode:
        return replace(node, hugepages=tuple(pages for pages in node.hugepages if pages[0] != size))

    return lambda machine: _every_node(machine, less)


def _plain(machine: Machine) -> Machine:
    return replace(machine, name="shrunk", provenance="")


def _with_memory(id_: int, size: int) -> EveryMachine:
    return lambda machine: _every_node(machine, lambda node: replace(node, memory=size) if node.id == id_ else node)


def _rounder(memory: int) -> Iterator[int]:
    if memory not in (0, 4 * GI):
        yield 4 * GI
    for unit in (GI, GI // 4, GI // 1024):
        yield from (size for size in (memory // unit * unit, -(-memory // unit) * unit) if size and size != memory)


# Nodes


def _without_node(scenario: Scenario, id_: int) -> Iterator[Scenario]:
    if len(scenario.machine.nodes) == 1:
        return
    smaller = _mapped(scenario, lambda machine: _less(machine, id_))
    told = replace(
        smaller, steps=tuple(_hinted(step, lambda node: None if node == id_ else node) for step in smaller.steps)
    )
    yield _configured(told, lambda config: _not_reserving(config, id_))
    yield plainly_reserved(told)


def _less(machine: Machine, id_: int) -> Machine:
    """Without a node; every other node's row of distances is shorter by one."""
    at = next((index for index, node in enumerate(machine.nodes) if node.id == id_), None)
    if at is None:
        return machine
    nodes = tuple(
        replace(node, distances=node.distances and node.distances[:at] + node.distances[at + 1 :])
        for node in machine.nodes
        if node.id != id_
    )
    return replace(machine, nodes=nodes)


def _not_reserving(config: KubeletConfig, id_: int) -> KubeletConfig:
    """Without the node's reservation, and with that much less to reserve."""
    kept = tuple(entry for entry in config.reserved_memory if entry.numa_node != id_)
    gone = sum(
        amount.value()
        for entry in config.reserved_memory
        if entry.numa_node == id_
        for kind, amount in entry.limits
        if kind == "memory"
    )
    kube = dict(config.kube_reserved)
    if gone and "memory" in kube and (left := Quantity.parse(kube["memory"]).value() - gone) >= 0:
        kube["memory"] = str(Quantity.of_bytes(left))
    return replace(config, reserved_memory=kept, kube_reserved=tuple(kube.items()))


def _renumbered(scenario: Scenario) -> Scenario:
    """Nodes are called 0, 1, 2 …, wherever they are spoken of."""
    ids = dict.fromkeys(node.id for machine in machines(scenario) for node in machine.nodes)
    new = {old: number for number, old in enumerate(sorted(ids))}

    def renumber(machine: Machine) -> Machine:
        return _every_node(machine, lambda node: replace(node, id=new[node.id]))

    def reserve(config: KubeletConfig) -> KubeletConfig:
        entries = (
            MemoryReservation(new.get(entry.numa_node, entry.numa_node), entry.limits)
            for entry in config.reserved_memory
        )
        return replace(config, reserved_memory=tuple(entries))

    numbered = _configured(_mapped(scenario, renumber), reserve)
    return replace(numbered, steps=tuple(_hinted(step, lambda node: new.get(node, node)) for step in numbered.steps))


def _dense_cpus(machine: Machine) -> Machine:
    """CPUs are numbered node after node."""
    first = 0
    nodes = []
    for node in machine.nodes:
        nodes.append(replace(node, cpus=CpuSet(range(first, first + len(node.cpus)))))
        first += len(node.cpus)
    return replace(machine, nodes=tuple(nodes))


def _hinted(step: Step, change: Callable[[int], int | None]) -> Step:
    """The step with other node ids in the hints of its pod; None takes a node away."""
    if not isinstance(step, Admit):
        return step

    def hints(told: OtherHints) -> OtherHints:
        return tuple(
            (name, offered if offered is None else tuple((_mask(mask, change), liked) for mask, liked in offered))
            for name, offered in told
        )

    def container(known: Container) -> Container:
        return replace(known, hints=hints(known.hints)) if known.hints else known

    pod: Pod = step.pod
    changed = replace(
        pod,
        hints=hints(pod.hints),
        containers=tuple(map(container, pod.containers)),
        init_containers=tuple(map(container, pod.init_containers)),
    )
    return step if changed == pod else Admit(changed)


def _mask(mask: tuple[int, ...] | None, change: Callable[[int], int | None]) -> tuple[int, ...] | None:
    if mask is None:
        return None
    return tuple(node for node in map(change, mask) if node is not None) or None


# Configurations


def simpler_configs(scenario: Scenario) -> Iterator[Scenario]:
    """Fields at their defaults, one option or gate less, plain reservations."""
    yield plainly_reserved(scenario)
    for field in fields(KubeletConfig):
        yield _configured(scenario, partial(_with, name=field.name, value=getattr(DEFAULT, field.name)))
    for name in PAIRS:
        for key, _ in getattr(scenario.kubelet, name) or ():
            yield _configured(scenario, partial(_lacking, name=name, key=key))
    policy = scenario.kubelet.topology_manager_policy
    for simpler in TOPOLOGY_POLICIES[: TOPOLOGY_POLICIES.index(policy)] if policy in TOPOLOGY_POLICIES else ():
        yield _configured(scenario, partial(_with, name="topology_manager_policy", value=simpler))


def _with(config: KubeletConfig, *, name: str, value: Any) -> KubeletConfig:
    return replace(config, **{name: value})


def _lacking(config: KubeletConfig, *, name: str, key: str) -> KubeletConfig:
    pairs = getattr(config, name) or ()
    return _with(config, name=name, value=tuple(pair for pair in pairs if pair[0] != key))


def plainly_reserved(scenario: Scenario) -> Scenario:
    """Every configuration with the reservation that suites use: 512Mi on every node, and nothing else held back."""
    machine = scenario.machine
    steps: list[Step] = []
    for step in scenario.steps:
        if isinstance(step, Restart):
            machine = step.machine or machine
            step = replace(step, kubelet=step.kubelet and _plain_config(step.kubelet, machine))
        steps.append(step)
    return replace(scenario, kubelet=_plain_config(scenario.kubelet, scenario.machine), steps=tuple(steps))


def _plain_config(config: KubeletConfig, machine: Machine) -> KubeletConfig:
    if config.memory_manager_policy != "Static" or not machine.cpus:
        return replace(config, reserved_memory=(), kube_reserved=(), system_reserved=(), eviction_hard=None)
    options = {name: text for name, text in config.topology_manager_policy_options if name != MAX_NODES}
    return static(
        topology=config.topology_manager_policy,
        scope=config.topology_manager_scope,
        cpu=config.cpu_manager_policy,
        options=options,
        gates=dict(config.feature_gates),
    )(machine)


def _configured(scenario: Scenario, change: Callable[[KubeletConfig], KubeletConfig]) -> Scenario:
    """Every configuration of the scenario changed."""
    steps: tuple[Step, ...] = tuple(
        replace(step, kubelet=change(step.kubelet)) if isinstance(step, Restart) and step.kubelet else step
        for step in scenario.steps
    )
    return replace(scenario, kubelet=change(scenario.kubelet), steps=steps)

"""What the kernel of a node does with what the runtime is told: where memory lies, and how much each node has. Pure.

* A container that was told NUMA nodes has its memory on them, and the kernel says so; one that was told none may have it on every
  node with memory.
* How many bytes it touches nobody predicts. Here it is all that it was given, and on the first node of those that it may use.
* The nodes have the memory of the scenario's machine at every boot, and no process is killed.

Containers that have ended are still here: a subject shows those that run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pinproof.history import Block, Kernel, Observation, Pages
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Restart, Scenario, begun

_LEAST: Final = 4096
"""Bytes: every process has a page."""


def with_kernel(scenario: Scenario, observations: Sequence[Observation]) -> tuple[Observation, ...]:
    """The observations of a scenario with what a kernel adds to them; the first is the start of the kubelet."""
    machine, done = scenario.machine, list[Observation]()
    for step, seen in zip((None, *map(begun, scenario.steps)), observations, strict=True):
        if isinstance(step, Restart) and step.machine is not None:
            machine = step.machine
        done.append(replace(seen, pages=_pages(machine, seen), kernel=_kernel(machine)) if seen.running else seen)
    return tuple(done)


def _kernel(machine: Machine) -> Kernel:
    return Kernel({node.id: node.memory for node in machine.nodes}, ())


def _pages(machine: Machine, seen: Observation) -> dict[str, dict[str, Pages]]:
    everywhere = str(CpuSet(node.id for node in machine.nodes if node.memory))
    given = seen.assignments or {}
    return {
        pod: {
            name: _lying(told.cpuset_mems, everywhere, given.get(pod, {}).get(name, ())) for name, told in all_.items()
        }
        for pod, all_ in (seen.told or {}).items()
        if (seen.pods or {})[pod].admitted
    }


def _lying(told: str, everywhere: str, blocks: Sequence[Block]) -> Pages:
    bound = CpuSet.parse(told or everywhere)
    first = min(bound)
    huge = sum(block.size for block in blocks if block.type != "memory")
    plain = sum(block.size for block in blocks if block.type == "memory")
    return Pages({first: max(plain, _LEAST)}, {first: huge} if huge else {}, told, str(bound), str(bound))

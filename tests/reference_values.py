"""Small machines and pods for the tests of the reference, and Hypothesis strategies that draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from pinproof.reference.books import Books, default_books
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Remove, Restart, Scenario, Step

MIB = 1 << 20
GIB = 1 << 30


def books(*memory: int, pages: Sequence[int] = ()) -> Books:
    """Nodes with so many bytes of allocatable memory, and of 1Gi pages where `pages` says so."""
    nodes = []
    for node, size in enumerate(memory):
        huge = pages[node] if pages else 0
        nodes.append((node, {"memory": (size + huge, 0)} | ({"hugepages-1Gi": (huge, 0)} if pages else {})))
    return default_books(nodes)


def free(machine: Books, memory_type: str = "memory") -> list[int]:
    """Free bytes, node by node."""
    return machine.free(memory_type)


def container(name: str, *, cpu: str = "100m", sidecar: bool = False, **amounts: str) -> Container:
    """Requests equal limits; `hugepages_1Gi="1Gi"` is a resource too."""
    named = {key.replace("_", "-"): amount for key, amount in amounts.items()} | {"cpu": cpu}
    resources = tuple((key, Quantity.parse(named[key])) for key in sorted(named))
    return Container(name, resources, resources, restart_always=sidecar)


def pod(name: str, *containers: Container, init: Sequence[Container] = ()) -> Pod:
    """A pod of these containers."""
    return Pod(name, containers, tuple(init))


def small(name: str, memory: str) -> Pod:
    """A Guaranteed pod of one container `c`."""
    return pod(name, container("c", memory=memory))


def machine(*gib: int, cpus: int = 4) -> Machine:
    """Nodes with so many GiB and CPUs each."""
    return Machine(
        "drawn",
        tuple(NumaNode(n, size * GIB, CpuSet(range(cpus * n, cpus * n + cpus))) for n, size in enumerate(gib)),
    )


def static(nodes: int, policy: str = "none", *, scope: str = "container", cpu: str = "none") -> KubeletConfig:
    """Policy Static with 1 GiB of every node for the system."""
    gib = (("memory", Quantity.parse("1Gi")),)
    return KubeletConfig(
        memory_manager_policy="Static",
        reserved_memory=tuple(MemoryReservation(n, gib) for n in range(nodes)),
        kube_reserved=(("memory", f"{nodes * 1024 - 100}Mi"),),
        topology_manager_policy=policy,
        topology_manager_scope=scope,
        cpu_manager_policy=cpu,
        reserved_system_cpus="0" if cpu == "static" else "",
    )


masks = st.integers(1, 15)
"""Masks of a machine with four nodes."""

takes = st.lists(st.tuples(masks, st.integers(0, 24)), max_size=6)
"""(mask, size) of allocations on such a machine."""


@st.composite
def used_books(draw: st.DrawFn) -> Books:
    """A machine with four nodes that went through some allocations which a kubelet could have made."""
    current = books(*(draw(st.integers(0, 16)) for _ in range(4)))
    for mask, size in draw(takes):
        alone = mask.bit_count() == 1
        if not (current.nodes[mask.bit_length() - 1].group.bit_count() > 1 if alone else current.breaks_a_group(mask)):
            current = current.take(mask, "memory", size)
    return current


@st.composite
def scenarios(
    draw: st.DrawFn, policies: Sequence[str] = ("none", "best-effort", "restricted", "single-numa-node")
) -> Scenario:
    """Up to eight steps on up to four nodes: pods of one or two containers arrive, leave, and the kubelet restarts.

    Left out, because 1.36 itself breaks invariants there: the static CPU manager, and init containers at a restart.
    """
    sizes = draw(st.lists(st.integers(2, 8), min_size=1, max_size=4))
    config = static(len(sizes), draw(st.sampled_from(policies)), scope=draw(st.sampled_from(["container", "pod"])))
    steps: list[Step] = []
    present: list[str] = []
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["admit", "admit", "admit", "remove", "restart"]))
        if kind == "remove" and present:
            steps.append(Remove(present.pop(draw(st.integers(0, len(present) - 1)))))
        elif kind == "restart":
            steps.append(Restart(order=tuple(draw(st.permutations(present)))))
        else:
            steps.append(Admit(draw(_pods(f"p{number}"))))
            present.append(f"p{number}")
    return Scenario("drawn", machine(*sizes), config, tuple(steps))


@st.composite
def _pods(draw: st.DrawFn, name: str) -> Pod:
    amounts = draw(st.lists(st.integers(1, 12), min_size=1, max_size=2))
    return pod(name, *(container(f"c{n}", memory=f"{amount * 512}Mi") for n, amount in enumerate(amounts)))


def reserved(entries: Mapping[int, str]) -> tuple[MemoryReservation, ...]:
    """`reservedMemory` with memory only."""
    return tuple(MemoryReservation(node, (("memory", Quantity.parse(amount)),)) for node, amount in entries.items())

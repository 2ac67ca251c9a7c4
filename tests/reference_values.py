"""Small machines and pods for the tests of the reference, and Hypothesis strategies that draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from pinproof.reference.books import Books, default_books
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, Step

POLICIES = ("none", "best-effort", "restricted", "single-numa-node")
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


SOUND = (
    *((policy, scope, "none") for policy in POLICIES for scope in ("container", "pod")),
    ("none", "container", "static"),
    ("restricted", "container", "static"),
    ("single-numa-node", "container", "static"),
    ("single-numa-node", "pod", "static"),
)
"""(topology manager policy, scope, CPU manager policy) under which 1.36 keeps every invariant.

With exclusive CPUs best-effort, and restricted in scope pod, can book a node of a living group for itself.
"""


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Up to eight steps on up to four nodes: pods of one or two containers arrive, end, leave, and the kubelet restarts.

    Either the kubelet restarts or pods have init containers: after a restart 1.36 allocates again for those that are over
    (kubernetes#123971). Types that only init containers ask for are left out as well (kubernetes#140814).
    """
    nodes = draw(st.lists(st.tuples(st.integers(3, 8), st.integers(0, 2)), min_size=1, max_size=4))
    policy, scope, cpu = draw(st.sampled_from(SOUND))
    restarts = draw(st.booleans())
    steps: list[Step] = []
    present: list[str] = []
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["admit", "admit", "admit", "remove", "exit", "restart"]))
        if kind == "remove" and present:
            steps.append(Remove(present.pop(draw(st.integers(0, len(present) - 1)))))
        elif kind == "exit" and present:
            steps.append(Exit(draw(st.sampled_from(present)), draw(st.sampled_from(["i0", "i1", "c0", "c1"]))))
        elif kind == "restart" and restarts:
            steps.append(Restart(order=tuple(draw(st.permutations(present)))))
        else:
            steps.append(Admit(draw(_pods(f"p{number}", init=not restarts, exclusive=cpu == "static"))))
            present.append(f"p{number}")
    return Scenario("drawn", _with_pages(nodes), static(len(nodes), policy, scope=scope, cpu=cpu), tuple(steps))


def _with_pages(nodes: Sequence[tuple[int, int]]) -> Machine:
    """A machine of (GiB, pages of 1 GiB) with four CPUs a node."""
    plain = machine(*(size for size, _ in nodes))
    pages = (((GIB, count),) for _, count in nodes)
    return replace(plain, nodes=tuple(replace(n, hugepages=p) for n, p in zip(plain.nodes, pages, strict=True)))


@st.composite
def _pods(draw: st.DrawFn, name: str, *, init: bool, exclusive: bool) -> Pod:
    pages = draw(st.booleans())
    cpus = st.sampled_from(["100m", "1", "2", "5"] if exclusive else ["100m"])

    def one(called: str, *, sidecar: bool = False) -> Container:
        memory = f"{draw(st.integers(1, 12)) * 512}Mi"
        huge = {"hugepages_1Gi": f"{draw(st.integers(1, 3))}Gi"} if pages else {}
        return container(called, cpu=draw(cpus), sidecar=sidecar, memory=memory, **huge)

    apps = [one(f"c{n}") for n in range(draw(st.integers(1, 2)))]
    before = [one(f"i{n}", sidecar=draw(st.booleans())) for n in range(draw(st.integers(0, 2)) if init else 0)]
    return pod(name, *apps, init=before)


def reserved(entries: Mapping[int, str]) -> tuple[MemoryReservation, ...]:
    """`reservedMemory` with memory only."""
    return tuple(MemoryReservation(node, (("memory", Quantity.parse(amount)),)) for node, amount in entries.items())

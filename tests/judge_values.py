"""What the judge's tests compare: a small machine and histories that are right, written down by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pinproof.history import Block, History, NodeState, Observation, PodVerdict, Prediction, Resources, Table, Told
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Scenario, Step
from pinproof.subjects.protocol import Capabilities

GIB = 1 << 30

MACHINE = Machine("two", (NumaNode(0, 10 * GIB, CpuSet.parse("0-3")), NumaNode(1, 10 * GIB, CpuSet.parse("4-7"))))
STATIC = KubeletConfig(memory_manager_policy="Static", topology_manager_policy="best-effort")

EVERYTHING = Capabilities(
    observables=frozenset(
        [
            "refusal",
            "pods",
            "policy",
            "assignments",
            "machine",
            "state_file",
            "cpu",
            "told",
            "counters",
            "pod_resources",
            "allocatable",
        ]
    ),
    steps=frozenset({"admit", "remove", "exit", "restart"}),
)

REQUESTS = "kubelet_memory_manager_pinning_requests_total"
ERRORS = "kubelet_memory_manager_pinning_errors_total"
ADMISSIONS = "kubelet_topology_manager_admission_requests_total"


def container(name: str = "c", memory: str = "4Gi", *, sidecar: bool = False) -> Container:
    """A container with equal requests and limits."""
    resources = (("cpu", Quantity.parse("1")), ("memory", Quantity.parse(memory)))
    return Container(name, requests=resources, limits=resources, restart_always=sidecar)


def pod(name: str = "a", memory: str = "4Gi") -> Pod:
    """A Guaranteed pod of one container `c`."""
    return Pod(name, (container(memory=memory),))


def block(*nodes: int, gib: int = 4, type_: str = "memory") -> Block:
    """A block on some nodes."""
    return Block(nodes, type_, gib * GIB)


def node(*cells: int, reserved: int = 0, assignments: int = 0) -> NodeState:
    """Books of a node of 10 GiB with 1 GiB for the system."""
    table = Table(10 * GIB, 1 * GIB, 9 * GIB, reserved * GIB, (9 - reserved) * GIB)
    return NodeState(assignments, {"memory": table}, cells)


EMPTY = Observation(
    running=True,
    pods={},
    assignments={},
    machine={0: node(0), 1: node(1)},
    policy="Static",
    told={},
    counters={REQUESTS: 0, ERRORS: 0, ADMISSIONS: 0},
    pod_resources={},
)
"""A node right after the kubelet's first start."""

ONE_POD = replace(
    EMPTY,
    pods={"a": PodVerdict(admitted=True)},
    assignments={"a": {"c": (block(0),)}},
    machine={0: node(0, reserved=4, assignments=1), 1: node(1)},
    told={"a": {"c": Told(cpuset_mems="0", cpuset_cpus="")}},
    counters={REQUESTS: 1, ERRORS: 0, ADMISSIONS: 1},
    pod_resources={"a": {"c": Resources((block(0),), "")}},
)
"""The same node after pod `a` took 4 GiB of node 0."""

GROUP = replace(
    ONE_POD,
    assignments={"a": {"c": (block(0, 1, gib=12),)}},
    machine={0: node(0, 1, reserved=9, assignments=1), 1: node(0, 1, reserved=3, assignments=1)},
    told={"a": {"c": Told(cpuset_mems="0,1", cpuset_cpus="")}},
    pod_resources={"a": {"c": Resources((block(0, 1, gib=12),), "")}},
)
"""The node after a pod `a` that took 12 GiB of both nodes instead."""


def scenario(*steps: Step, kubelet: KubeletConfig = STATIC) -> Scenario:
    """A scenario on the small machine."""
    return Scenario("example", MACHINE, kubelet, steps)


def history(*observations: Observation) -> History:
    """A complete history."""
    return History("test", observations)


def predicts(*histories: History) -> Prediction:
    """A prediction that allows these."""
    return Prediction(histories)


ADMITTED = scenario(Admit(pod()))
RIGHT = history(EMPTY, ONE_POD)
"""What is seen in `ADMITTED`."""


def rejected(reason: str, message: str = "") -> Mapping[str, PodVerdict]:
    """Pod `a` rejected."""
    return {"a": PodVerdict(admitted=False, reason=reason, message=f"Pod was rejected: {message}")}

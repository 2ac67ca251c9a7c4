"""Defects that the required oracle finds although the model has them too: the two are never mixed.

Each was predicted by the reference and then seen, to the byte, on kubelets 1.36.3 and 1.32.2.
"""

from __future__ import annotations

from pinproof.history import Prediction
from pinproof.judge import judge, violations
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, Remove, Restart, Scenario, Step
from tests.judge_values import EVERYTHING

MIB = 1 << 20
MACHINE = Machine(
    "two",
    tuple(NumaNode(n, 12800 * MIB, CpuSet(range(8 * n, 8 * n + 8)), hugepages=((2 * MIB, 1024),)) for n in (0, 1)),
)


def kubelet(policy: str, cpu_manager: str = "none") -> KubeletConfig:
    """Static memory manager in pod scope, 512 MiB of each node for the system."""
    reservation = (("memory", Quantity.parse("512Mi")),)
    return KubeletConfig(
        memory_manager_policy="Static",
        reserved_memory=tuple(MemoryReservation(n, reservation) for n in (0, 1)),
        topology_manager_policy=policy,
        topology_manager_scope="pod",
        cpu_manager_policy=cpu_manager,
        reserved_system_cpus="0" if cpu_manager == "static" else "",
        kube_reserved=(("memory", "924Mi"),),
    )


def container(name: str, cpu: str, memory: str, hugepages: str = "") -> Container:
    """Requests equal limits."""
    amounts = {"cpu": cpu, "hugepages-2Mi": hugepages, "memory": memory}
    resources = tuple((key, Quantity.parse(text)) for key, text in amounts.items() if text)
    return Container(name, resources, resources)


def found(scenario: Scenario, prediction: Prediction) -> set[tuple[int, str]]:
    """(step, invariant) of every violation in any of the allowed histories."""
    return {(step, broken.invariant) for seen in prediction.histories for step, broken in violations(scenario, seen)}


def test_hugepages_of_an_init_container_alone_split_a_group() -> None:
    """One pod, and the kubelet may not start again.

    Pod scope leaves types that only init containers request out of the pod's hint (kubernetes#140814): the hint is {0}.
    The init container is extended to {0,1}, the app container then takes {0} alone, since only masks of several nodes
    are checked. Which of the two blocks is replayed last at the start is Go's map order.
    """
    pod = Pod("a", (container("c", "100m", "1Gi"),), (container("i", "100m", "1Gi", "3000Mi"),))
    scenario = Scenario("init-hugepages", MACHINE, kubelet("single-numa-node"), (Admit(pod), Restart()))
    prediction = predict(scenario, behaviour_of("1.36"))

    assert {(1, "I-2"), (1, "I-3"), (2, "I-6")} == found(scenario, prediction)
    assert {True, False} == {seen.observations[2].running for seen in prediction.histories}


def test_rejected_pod_breaks_the_group_that_it_was_refused_for() -> None:
    """A pod that was rejected and deleted keeps the kubelet from starting again, every time.

    The pod's total fits nowhere, so the memory manager has no preference and the CPU manager's {1} stands. The first
    container fits there and is booked on node 1, whose cells become {1} although the group {0,1} lives; the second is
    refused. When the first is collected node 1 still has assignments, so its cells stay as they are for good.
    """
    group = Pod("a", (container("c", "5", "12Gi"),)), Pod("b", (container("c", "2", "4Gi"),))
    refused = Pod("x", (container("first", "1", "1Gi"), container("second", "1", "6Gi")))
    collects = Pod("tiny", (Container("c"),))
    steps: tuple[Step, ...] = (*map(Admit, group), Admit(refused), Remove("x"), Admit(collects), Restart())
    scenario = Scenario("rejected", MACHINE, kubelet("best-effort", "static"), steps)
    prediction = predict(scenario, behaviour_of("1.36"))

    assert {(3, "I-2"), (3, "I-3"), (6, "I-6")} == found(scenario, prediction)
    assert [False] == [seen.observations[6].running for seen in prediction.histories]


def test_model_with_the_same_defect_is_no_excuse() -> None:
    """Nothing differs from the model, and the verdict is `failed`."""
    pod = Pod("a", (container("c", "100m", "1Gi"),), (container("i", "100m", "1Gi", "3000Mi"),))
    scenario = Scenario("init-hugepages", MACHINE, kubelet("single-numa-node"), (Admit(pod),))
    prediction = predict(scenario, behaviour_of("1.36"))

    judgement = judge(scenario, prediction, prediction.histories[0], EVERYTHING)

    assert "failed" == judgement.outcome
    assert {"required"} == {finding.oracle for finding in judgement.findings}

"""The CPU manager as the second provider of hints: on two_even node 0 has CPUs 1-7 to give, node 1 has 8-15."""

from __future__ import annotations

from pinproof.history import PodVerdict
from pinproof.suite import Prove, admit, block, burstable, case, container, guaranteed, static

NONE, BEST_EFFORT = static(cpu="static"), static(topology="best-effort", cpu="static")
RESTRICTED = static(topology="restricted", cpu="static")
SINGLE = static(topology="single-numa-node", cpu="static")
EVERY_POLICY = [NONE, BEST_EFFORT, RESTRICTED, SINGLE]

NOT_ALIGNED = PodVerdict(
    admitted=False,
    reason="TopologyAffinityError",
    message="Pod was rejected: Resources cannot be allocated with Topology locality",
)


def refused(text: str) -> PodVerdict:
    """A refusal by a resource manager, as the pod's status carries it."""
    message = f"Pod was rejected: Allocate failed due to {text}, which is unexpected"
    return PodVerdict(admitted=False, reason="UnexpectedAdmissionError", message=message)


@case("MM-ADMIT-015", machines="two_even", kubelet=EVERY_POLICY)
def test_pods_of_all_kinds_are_admitted_side_by_side(prove: Prove) -> None:
    """Exclusive CPUs and pinned memory go to the Guaranteed pod with whole CPUs, and every kind of pod is admitted."""
    seen = prove(
        admit(burstable("shared", memory="1Gi")),
        admit(guaranteed("one", cpu="2", memory="1Gi")),
        admit(guaranteed("fraction", cpu="1500m", memory="1Gi")),
    )

    assert ["fraction", "one", "shared"] == [name for name in seen.pods() if seen.admitted(name)]
    assert ["", "1-2", ""] == [seen.exclusive_cpus(name) for name in ("shared", "one", "fraction")]
    assert {"one": ["c"], "fraction": ["c"]} == seen.assigned()


@case("MM-ADMIT-015", machines="two_even", kubelet=EVERY_POLICY)
def test_each_container_has_cpus_and_memory_of_its_own(prove: Prove) -> None:
    """Every container of a Guaranteed pod is served for itself by both managers."""
    two = [container("c1", cpu="3", memory="2Gi"), container("c2", cpu="2", memory="1Gi")]
    seen = prove(admit(guaranteed("a", containers=two)))

    assert ["1-3", "4-5"] == [seen.exclusive_cpus("a", name) for name in ("c1", "c2")]
    assert [[block(0, memory="2Gi")], [block(0, memory="1Gi")]] == [seen.blocks("a", name) for name in ("c1", "c2")]


@case("MM-ADMIT-016", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_cpus_that_are_used_up_are_a_matter_of_locality(prove: Prove) -> None:
    """When the CPUs are used up no node can be offered at all, and a policy that requires alignment says so."""
    seen = prove(admit(guaranteed("a", cpu="8", memory="1Gi")), admit(guaranteed("b", cpu="8", memory="1Gi")))

    assert "8-15" == seen.exclusive_cpus("a")
    assert NOT_ALIGNED == seen.verdict("b")


@case("MM-ADMIT-016", machines="two_even", kubelet=NONE)
def test_cpus_that_are_used_up_are_refused_by_the_cpu_manager(prove: Prove) -> None:
    """Without alignment the CPU manager itself refuses, with what was asked for and what there is."""
    seen = prove(admit(guaranteed("a", cpu="8", memory="1Gi")), admit(guaranteed("b", cpu="8", memory="1Gi")))

    text = "not enough cpus available to satisfy request: requested=8, available=7"
    assert refused(text) == seen.verdict("b")
    assert {"a": ["c"]} == seen.assigned()


@case("MM-ADMIT-016", machines="two_even", kubelet=BEST_EFFORT)
def test_best_effort_does_not_conjure_up_cpus(prove: Prove) -> None:
    """Policy best-effort lets the pod pass to the CPU manager, which takes what node 0 has and lacks one."""
    seen = prove(admit(guaranteed("a", cpu="8", memory="1Gi")), admit(guaranteed("b", cpu="8", memory="1Gi")))

    text = "not enough cpus available to satisfy request: requested=1, available=0"
    assert refused(text) == seen.verdict("b")
    assert {"a": ["c"]} == seen.assigned()


@case("MM-ADMIT-017", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_cpus_of_two_nodes_with_memory_of_one_are_not_aligned(prove: Prove) -> None:
    """A container that needs the CPUs of two nodes and the memory of one is rejected where alignment is required."""
    seen = prove(admit(guaranteed("a", cpu="10", memory="1Gi")))

    assert NOT_ALIGNED == seen.verdict("a")


@case("MM-ADMIT-017", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_memory_of_two_nodes_with_cpus_of_one_is_not_aligned(prove: Prove) -> None:
    """The same the other way round: memory of two nodes and CPUs that fit one."""
    seen = prove(admit(guaranteed("a", cpu="2", memory="15Gi")))

    assert NOT_ALIGNED == seen.verdict("a")


@case("MM-ADMIT-017", machines="two_even", kubelet=RESTRICTED)
def test_memory_of_two_nodes_without_exclusive_cpus_is_aligned(prove: Prove) -> None:
    """A fraction of a CPU asks for no node, so that the memory alone decides and two nodes are its best."""
    seen = prove(admit(guaranteed("a", cpu="2500m", memory="15Gi")))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")


@case("MM-ADMIT-017", machines="two_even", kubelet=[BEST_EFFORT, RESTRICTED])
def test_cpus_and_memory_of_two_nodes_are_aligned(prove: Prove) -> None:
    """A container that needs two nodes for its CPUs and for its memory is aligned on both."""
    seen = prove(admit(guaranteed("a", cpu="10", memory="15Gi")))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")
    assert "1-2,8-15" == seen.exclusive_cpus("a")


@case("MM-ADMIT-018", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_cpus_here_and_memory_there_are_not_aligned(prove: Prove) -> None:
    """A container is rejected when one node has only its memory free and the other only its CPUs."""
    seen = prove(
        admit(guaranteed("cpus", cpu="7", memory="1Gi")),
        admit(guaranteed("memory", memory="10Gi")),
        admit(guaranteed("a", cpu="2", memory="2Gi")),
    )

    assert "1-7" == seen.exclusive_cpus("cpus")
    assert [block(1, memory="10Gi")] == seen.blocks("memory")
    assert NOT_ALIGNED == seen.verdict("a")


@case("MM-ADMIT-018", machines="two_even", kubelet=BEST_EFFORT)
def test_best_effort_takes_cpus_here_and_memory_there(prove: Prove) -> None:
    """Policy best-effort admits the same container, with its memory on one node and its CPUs on the other."""
    seen = prove(
        admit(guaranteed("cpus", cpu="7", memory="1Gi")),
        admit(guaranteed("memory", memory="10Gi")),
        admit(guaranteed("a", cpu="2", memory="2Gi")),
    )

    assert [block(0, memory="2Gi")] == seen.blocks("a")
    assert "8-9" == seen.exclusive_cpus("a")


@case("MM-ADMIT-009", machines="two_even", kubelet=[BEST_EFFORT, RESTRICTED])
def test_group_rule_holds_whatever_the_cpus_say(prove: Prove) -> None:
    """A pod of two nodes is refused beside a single-node pod, with CPUs of two nodes as well as with CPUs of one."""
    seen = prove(
        admit(guaranteed("a", cpu="1", memory="5Gi")),
        admit(guaranteed("wide", cpu="10", memory="12800Mi")),
        admit(guaranteed("narrow", cpu="2", memory="12800Mi")),
    )

    assert refused("[memorymanager] preferred hint violates NUMA node allocation") == seen.verdict("wide")
    no_extension = "[memorymanager] failed to find NUMA nodes to extend the current topology hint"
    assert refused(no_extension) == seen.verdict("narrow")


@case("MM-ADMIT-012", machines="two_even", kubelet=RESTRICTED)
def test_small_pod_with_cpus_is_rejected_beside_a_group(prove: Prove) -> None:
    """A node with CPUs and memory to spare is not offered to a small pod while it is part of a group."""
    seen = prove(admit(guaranteed("a", cpu="10", memory="12800Mi")), admit(guaranteed("b", cpu="1", memory="5Gi")))

    assert seen.admitted("a")
    assert NOT_ALIGNED == seen.verdict("b")

"""Refusals as a user sees them: the pod's status and its event say the same, in the promised words.

The status has the message behind `Pod was rejected: `, the event has it alone, and both have the reason.
"""

from __future__ import annotations

from pinproof.history import PodVerdict
from pinproof.suite import (
    Prove,
    Seen,
    admit,
    besteffort,
    case,
    container,
    guaranteed,
    pod_level,
    remove,
    restart,
    sidecar,
    static,
)

NONE, RESTRICTED = static(), static(topology="restricted")
SINGLE, SINGLE_POD = static(topology="single-numa-node"), static(topology="single-numa-node", scope="pod")
CPU = static(cpu="static")
RESTRICTED_POD_CPU = static(topology="restricted", scope="pod", cpu="static")
WHOLE = {"PodLevelResourceManagers": True}

AFFINITY = "TopologyAffinityError"
UNEXPECTED = "UnexpectedAdmissionError"
THREE = [container("c1", cpu="1", memory="12Gi"), *(container(name, cpu="1", memory="7Gi") for name in ("c2", "c3"))]
OWN, SHARED = container("own", memory="2Gi", cpu="1"), container("shared", cpu=None)


def check(prove: Prove, seen: Seen, pod: str, reason: str, message: str) -> None:
    """Status and event of a pod; there is no other warning about it."""
    assert PodVerdict(admitted=False, reason=reason, message=f"Pod was rejected: {message}") == seen.verdict(pod)

    words = prove.words(lambda words: words.events(pod))
    assert [(reason, message)] == words.events(pod)


def failed(text: str) -> str:
    """The message of an allocation that failed in one of the managers."""
    return f"Allocate failed due to {text}, which is unexpected"


@case("MM-EVENT-001", machines="two_even", kubelet=[SINGLE, SINGLE_POD])
def test_no_locality(prove: Prove) -> None:
    """A pod that needs two nodes under single-numa-node."""
    seen = prove(admit(guaranteed("a", memory="12Gi")))

    check(prove, seen, "a", AFFINITY, "Resources cannot be allocated with Topology locality")


@case("MM-EVENT-001", machines="two_even", kubelet=NONE)
def test_no_default(prove: Prove) -> None:
    """A pod larger than the machine, whose nodes the Topology Manager leaves open."""
    seen = prove(admit(guaranteed("a", memory="21Gi")))

    text = "[memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available"
    check(prove, seen, "a", UNEXPECTED, failed(text))


@case("MM-EVENT-001", machines="two_even", kubelet=RESTRICTED)
def test_no_extension(prove: Prove) -> None:
    """The same where the Topology Manager says all nodes."""
    seen = prove(admit(guaranteed("a", memory="21Gi")))

    text = "[memorymanager] failed to find NUMA nodes to extend the current topology hint"
    check(prove, seen, "a", UNEXPECTED, failed(text))


@case("MM-EVENT-001", machines="two_even", kubelet=SINGLE_POD)
def test_no_preferred_default(prove: Prove) -> None:
    """A container that could only join the group of another of its pod."""
    seen = prove(admit(guaranteed("a", containers=THREE)))

    check(prove, seen, "a", UNEXPECTED, failed("[memorymanager] failed to find the default preferred hint"))


@case("MM-EVENT-001", machines="two_even", kubelet=RESTRICTED_POD_CPU)
def test_no_preferred_extension(prove: Prove) -> None:
    """The same where CPUs name a node that would have to be extended."""
    seen = prove(admit(guaranteed("a", containers=THREE)))

    check(prove, seen, "a", UNEXPECTED, failed("[memorymanager] failed to find the extended preferred hint"))


@case("MM-EVENT-001", machines="two_even", kubelet=RESTRICTED, since="1.32")
def test_violated_group(prove: Prove) -> None:
    """Free memory that is scattered over nodes in single use."""
    seen = prove(*(admit(guaranteed(name, memory="6Gi")) for name in "abc"))

    check(prove, seen, "c", UNEXPECTED, failed("[memorymanager] preferred hint violates NUMA node allocation"))


@case("MM-EVENT-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_amount_that_is_no_whole_number(prove: Prove) -> None:
    """Half a byte."""
    seen = prove(admit(guaranteed("a", memory="1073741824500m")))

    check(prove, seen, "a", UNEXPECTED, failed("[memorymanager] failed to represent quantity as int64"))


@case("MM-EVENT-001", machines="one", kubelet=CPU)
def test_no_cpus(prove: Prove) -> None:
    """Eight whole CPUs of seven: the CPU manager's refusal reads like the memory manager's."""
    seen = prove(admit(guaranteed("a", cpu="8", memory="1Gi")))

    text = "not enough cpus available to satisfy request: requested=8, available=7"
    check(prove, seen, "a", UNEXPECTED, failed(text))


@case("MM-EVENT-001", machines="two_even", kubelet=NONE)
def test_node_without_room(prove: Prove) -> None:
    """A refusal of the node's own, after the managers have admitted the pod."""
    seen = prove(admit(guaranteed("a", cpu="17", memory="1Gi")))

    text = (
        "Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods "
        "to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 1000), ]"
    )
    check(prove, seen, "a", UNEXPECTED, text)


@case("MM-EVENT-001", machines="two_even", kubelet=RESTRICTED)
def test_refusal_of_a_pod_that_ran(prove: Prove) -> None:
    """A pod on two nodes is refused by a kubelet that comes back with single-numa-node, and is told why."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), restart(kubelet=SINGLE))

    check(prove, seen, "a", AFFINITY, "Resources cannot be allocated with Topology locality")


@case(
    "MM-EVENT-001", machines="two_even", kubelet=static(topology="restricted", scope="pod", gates=WHOLE), since="1.36"
)
def test_no_locality_for_a_pod_as_a_whole(prove: Prove) -> None:
    """A pod that is served as a whole beside a group; the message names the scope."""
    whole = pod_level("b", OWN, SHARED, memory="3Gi", cpu="2")
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(whole))

    text = "Pod Scope pod with pod-level resources failed admission under pod-scope topology manager"
    check(prove, seen, "b", AFFINITY, text)


@case(
    "MM-EVENT-001", machines="two_even", kubelet=static(topology="best-effort", scope="pod", gates=WHOLE), since="1.36"
)
def test_no_pool(prove: Prove) -> None:
    """A pod that leaves nothing to the container that asks for nothing."""
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="2Gi", cpu="2")))

    text = "pod rejected, sum of exclusive container memory requests equals pod budget, leaving no memory for shared containers"
    check(prove, seen, "a", "EmptyPodSharedPoolError", text)


@case(
    "MM-EVENT-001",
    machines="two_even",
    kubelet=static(gates={"PodLevelResources": False}, slug="static_off"),
    since="1.34",
    until="1.35",
)
def test_feature_that_is_off(prove: Prove) -> None:
    """A pod with pod-level resources where they are switched off."""
    seen = prove(admit(pod_level("a", container(memory="1Gi", cpu="1"), memory="2Gi", cpu="2")))

    text = "PodLevelResources feature gate is disabled"
    check(prove, seen, "a", "PodLevelResourcesNotSupported", text)


@case("MM-EVENT-002", machines="two_even", kubelet=[NONE, SINGLE])
def test_admitted_pods_have_no_warning(prove: Prove) -> None:
    """Neither at their admission nor at the next one; what is told of them is that they start."""
    pods = [guaranteed("a", memory="4Gi"), besteffort("b")]
    prove(*(admit(pod) for pod in pods), restart())

    words = prove.words()
    assert ([], []) == (words.events("a"), words.events("b"))
    assert words.about("a")


@case("MM-EVENT-003", machines="two_even", kubelet=[NONE, SINGLE])
def test_refusal_stays_as_it_was_told(prove: Prove) -> None:
    """What became of other pods does not change what a refused pod was told, until it is removed."""
    refused = admit(guaranteed("a", memory="21Gi"))
    seen = prove(refused, admit(guaranteed("b", memory="4Gi")), admit(guaranteed("c", memory="21Gi")), remove("b"))

    text = "[memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available"
    told = PodVerdict(admitted=False, reason=UNEXPECTED, message=f"Pod was rejected: {failed(text)}")
    assert [told] * 4 == [seen.verdict("a", after=step) for step in (1, 2, 3, 4)]
    assert told == seen.verdict("c")


@case("MM-EVENT-001", machines="two_even", kubelet=static(topology="restricted", gates=WHOLE), since="1.36")
def test_no_locality_for_a_container_of_such_a_pod(prove: Prove) -> None:
    """In scope container, where the container with memory of its own is refused, the message names that scope."""
    whole = pod_level("b", OWN, memory="3Gi", cpu="2")
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(whole))

    text = "Pod Scope pod with pod-level resources failed admission with a container-level topology manager"
    check(prove, seen, "b", AFFINITY, text)


@case(
    "MM-EVENT-001", machines="two_even", kubelet=static(topology="best-effort", scope="pod", gates=WHOLE), since="1.36"
)
def test_no_memory_for_init_containers(prove: Prove) -> None:
    """A sidecar that takes all of the pod's memory leaves none to the init container behind it."""
    init = [sidecar("s", memory="2Gi", cpu="1"), container("i", cpu=None)]
    seen = prove(admit(pod_level("a", SHARED, init=init, memory="2Gi", cpu="2")))

    text = "pod rejected, pod has shared init containers but no memory available for them"
    check(prove, seen, "a", "EmptyPodSharedPoolError", text)

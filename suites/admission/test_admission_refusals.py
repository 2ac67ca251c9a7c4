"""With what reason and message the memory manager's refusals reach the pod's status."""

from __future__ import annotations

from pinproof.history import PodVerdict
from pinproof.suite import Prove, admit, case, container, gib, guaranteed, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
RESTRICTED_POD, SINGLE_POD = (static(topology=policy, scope="pod") for policy in ("restricted", "single-numa-node"))
RESTRICTED_POD_CPU = static(topology="restricted", scope="pod", cpu="static")

NO_DEFAULT = "failed to get the default NUMA affinity, no NUMA nodes with enough memory is available"
NO_EXTENSION = "failed to find NUMA nodes to extend the current topology hint"
VIOLATION = "preferred hint violates NUMA node allocation"
NO_PREFERRED_DEFAULT = "failed to find the default preferred hint"
NO_PREFERRED_EXTENSION = "failed to find the extended preferred hint"
NO_WHOLE_BYTES = "failed to represent quantity as int64"


def refused(text: str) -> PodVerdict:
    """A refusal by the memory manager, as the pod's status carries it."""
    message = f"Pod was rejected: Allocate failed due to [memorymanager] {text}, which is unexpected"
    return PodVerdict(admitted=False, reason="UnexpectedAdmissionError", message=message)


@case("MM-ADMIT-008", machines="two_even", kubelet=[NONE, SINGLE, SINGLE_POD])
def test_pod_bigger_than_the_machine_finds_no_default(prove: Prove) -> None:
    """Where the Topology Manager leaves the nodes open, a pod too big for the machine finds no default affinity."""
    seen = prove(admit(guaranteed("a", memory="21Gi")))

    assert refused(NO_DEFAULT) == seen.verdict("a")


@case("MM-ADMIT-008", machines="two_even", kubelet=[BEST_EFFORT, RESTRICTED, RESTRICTED_POD])
def test_pod_bigger_than_the_machine_cannot_be_extended(prove: Prove) -> None:
    """Where the Topology Manager says all nodes, a pod too big for the machine finds none to extend them by."""
    seen = prove(admit(guaranteed("a", memory="21Gi")))

    assert refused(NO_EXTENSION) == seen.verdict("a")


@case("MM-ADMIT-008", machines="one", kubelet=SINGLE)
def test_pod_bigger_than_the_only_node_is_no_matter_of_locality(prove: Prove) -> None:
    """On a machine of one node a pod that is too big is refused by the memory manager, not for its locality."""
    seen = prove(admit(guaranteed("a", memory="11Gi")))

    assert refused(NO_DEFAULT) == seen.verdict("a")


@case("MM-ADMIT-009", machines="two_even", kubelet=[NONE, SINGLE])
def test_scattered_free_memory_is_not_put_together_by_default(prove: Prove) -> None:
    """A pod that fits the free memory of the machine, but not of one node, gets no group of nodes in single use."""
    seen = prove(*(admit(guaranteed(name, memory="6Gi")) for name in "abc"))

    assert refused(NO_DEFAULT) == seen.verdict("c")
    assert (gib(4), gib(4)) == (seen.free(0), seen.free(1))


@case("MM-ADMIT-009", machines="two_even", kubelet=[BEST_EFFORT, RESTRICTED])
def test_scattered_free_memory_is_not_put_together_by_a_hint(prove: Prove) -> None:
    """The same holds where the Topology Manager's answer is all nodes: the group rule goes before it."""
    seen = prove(*(admit(guaranteed(name, memory="6Gi")) for name in "abc"))

    assert refused(VIOLATION) == seen.verdict("c")
    assert {"a": ["c"], "b": ["c"]} == seen.assigned()


@case("MM-ADMIT-009", machines="three", kubelet=[BEST_EFFORT, RESTRICTED])
def test_one_small_pod_keeps_machine_wide_pods_away(prove: Prove) -> None:
    """One small pod on one node is enough that no pod can have all nodes, with 29 of 30Gi free."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(guaranteed("b", memory="25Gi")))

    assert refused(VIOLATION) == seen.verdict("b")


@case("MM-ADMIT-010", machines="two_even", kubelet=[RESTRICTED_POD])
def test_scope_pod_refuses_the_container_that_no_longer_fits(prove: Prove) -> None:
    """A pod whose sum is more than the machine fails at the container that finds the nodes of the others too full."""
    two = [container("c1", memory="12Gi"), container("c2", memory="12Gi")]
    seen = prove(admit(guaranteed("a", containers=two)))

    assert refused(NO_EXTENSION) == seen.verdict("a")
    assert {"a": ["c1"]} == seen.assigned()


@case("MM-ADMIT-010", machines="two_even", kubelet=SINGLE_POD)
def test_scope_pod_refuses_a_container_that_could_only_join(prove: Prove) -> None:
    """Where the nodes are left open but alignment is required, a container may not join the group of another."""
    three = [container("c1", memory="12Gi"), container("c2", memory="7Gi"), container("c3", memory="7Gi")]
    seen = prove(admit(guaranteed("a", containers=three)))

    assert refused(NO_PREFERRED_DEFAULT) == seen.verdict("a")
    assert {"a": ["c1"]} == seen.assigned()


@case("MM-ADMIT-010", machines="two_even", kubelet=RESTRICTED_POD_CPU)
def test_scope_pod_refuses_a_container_that_could_only_be_extended(prove: Prove) -> None:
    """The same where the CPUs name node 0: it is extended for the first container, and may not be for the second."""
    sizes = {"c1": "12Gi", "c2": "7Gi", "c3": "7Gi"}
    three = [container(name, cpu="1", memory=memory) for name, memory in sizes.items()]
    seen = prove(admit(guaranteed("a", containers=three)))

    assert refused(NO_PREFERRED_EXTENSION) == seen.verdict("a")
    assert {"a": ["c1"]} == seen.assigned()


@case("MM-ADMIT-010", machines="two_even", kubelet=NONE)
def test_pod_is_rejected_when_its_last_container_does_not_fit(prove: Prove) -> None:
    """A pod is admitted with all its containers or not at all."""
    three = [container(name, memory="6Gi") for name in ("c1", "c2", "c3")]
    seen = prove(admit(guaranteed("a", containers=three)))

    assert refused(NO_DEFAULT) == seen.verdict("a")
    assert not seen.created("a", "c1")


@case("MM-ADMIT-011", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE, RESTRICTED_POD])
def test_fraction_of_a_byte_is_refused(prove: Prove) -> None:
    """A request that is no whole number of bytes cannot be booked, and is refused rather than rounded."""
    seen = prove(admit(guaranteed("a", memory="1073741824500m")))

    assert refused(NO_WHOLE_BYTES) == seen.verdict("a")

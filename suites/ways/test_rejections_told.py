"""Rejections as a user of a cluster sees them: phase, reason and message of the pod, and one event with the same words."""

from __future__ import annotations

from pinproof.history import PodVerdict
from pinproof.suite import Prove, admit, brought, case, guaranteed, restart, static

NONE, SINGLE = static(), static(topology="single-numa-node")
CPU = static(cpu="static")

AFFINITY, UNEXPECTED = "TopologyAffinityError", "UnexpectedAdmissionError"
NO_LOCALITY = "Resources cannot be allocated with Topology locality"
NO_DEFAULT = (
    "Allocate failed due to [memorymanager] failed to get the default NUMA affinity, "
    "no NUMA nodes with enough memory is available, which is unexpected"
)
NO_CPUS = (
    "Allocate failed due to not enough cpus available to satisfy request: requested=8, available=7, which is unexpected"
)


def rejected(reason: str, message: str) -> PodVerdict:
    """What the status of a rejected pod says."""
    return PodVerdict(admitted=False, reason=reason, message=f"Pod was rejected: {message}")


@case("MM-WAY-003", machines="two_even", kubelet=SINGLE)
def test_no_locality(prove: Prove) -> None:
    """A pod that needs both nodes."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="4Gi")))

    assert rejected(AFFINITY, NO_LOCALITY) == seen.verdict("a")
    assert ([(AFFINITY, NO_LOCALITY)], []) == (seen.warnings("a"), seen.warnings("b"))


@case("MM-WAY-003", machines="two_even", kubelet=NONE)
def test_no_memory(prove: Prove) -> None:
    """A pod larger than the machine."""
    seen = prove(admit(guaranteed("a", memory="21Gi")))

    assert rejected(UNEXPECTED, NO_DEFAULT) == seen.verdict("a")
    assert [(UNEXPECTED, NO_DEFAULT)] == seen.warnings("a")


@case("MM-WAY-003", machines="one", kubelet=CPU)
def test_no_cpus(prove: Prove) -> None:
    """Eight whole CPUs of seven."""
    seen = prove(admit(guaranteed("a", cpu="8", memory="1Gi")))

    assert rejected(UNEXPECTED, NO_CPUS) == seen.verdict("a")
    assert [(UNEXPECTED, NO_CPUS)] == seen.warnings("a")


@case("MM-WAY-003", machines="two_even", kubelet=SINGLE)
def test_static_pod_is_told_of_by_its_event_alone(prove: Prove) -> None:
    """The API server has no mirror of a static pod that was rejected; status and event are the kubelet's."""
    seen = prove(admit(brought(guaranteed("a", memory="12Gi"), by="static")))

    assert rejected(AFFINITY, NO_LOCALITY) == seen.verdict("a")
    assert [(AFFINITY, NO_LOCALITY)] == seen.warnings("a")


@case("MM-WAY-003", machines="two_even", kubelet=NONE)
def test_pod_that_ran(prove: Prove) -> None:
    """A pod on two nodes is rejected by a kubelet that comes back with single-numa-node."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), restart(kubelet=SINGLE))

    assert [] == seen.warnings("a", after=1)
    assert [(AFFINITY, NO_LOCALITY)] == seen.warnings("a")

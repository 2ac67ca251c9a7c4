"""C4: a pod that restricted cannot align is rejected with the wrong reason.

Symptom: `UnexpectedAdmissionError` instead of `TopologyAffinityError`, on which schedulers and deschedulers act. Cause: where
no set of nodes fits, the memory manager answers with no hints at all, which the Topology Manager takes for "no preference";
the allocation fails then. Releases: all.
https://github.com/kubernetes/kubernetes/issues/128708
"""

from __future__ import annotations

from pinproof.suite import Prove, Seen, admit, case, guaranteed, static

RESTRICTED_CPU = static(topology="restricted", cpu="static")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")


def reason(seen: Seen, pod: str) -> str:
    """Why the pod was rejected; empty where it was not."""
    verdict = seen.verdict(pod)
    return verdict.reason if verdict else ""


@case("MM-REG-C4-001", machines="two_even", kubelet=RESTRICTED_CPU)
def test_pods_of_the_report(prove: Prove) -> None:
    """256Mi and then 11Gi, a CPU each, on two nodes of 10Gi."""
    seen = prove(admit(guaranteed("a", memory="256Mi", cpu="1")), admit(guaranteed("b", memory="11Gi", cpu="1")))

    assert "TopologyAffinityError" == reason(seen, "b")


@case("MM-REG-C4-001", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_machine_is_full(prove: Prove) -> None:
    """Nothing is free on either node."""
    full = [admit(guaranteed(name, memory="10Gi")) for name in "ab"]
    seen = prove(*full, admit(guaranteed("x", memory="1Gi")))

    assert "TopologyAffinityError" == reason(seen, "x")


@case("MM-REG-C4-001", machines="hugepages_even", kubelet=RESTRICTED)
def test_huge_pages_are_used_up(prove: Prove) -> None:
    """Memory is free on both nodes, 2Mi pages on neither."""
    full = [admit(guaranteed(name, memory="1Gi", hugepages={"2Mi": "1Gi"})) for name in "ab"]
    seen = prove(*full, admit(guaranteed("x", memory="1Gi", hugepages={"2Mi": "64Mi"})))

    assert "TopologyAffinityError" == reason(seen, "x")


@case("MM-ADMIT-003", machines="two_even", kubelet=SINGLE)
def test_reason_where_there_is_a_hint(prove: Prove) -> None:
    """The control: 11Gi fit both nodes together, so there is a hint to reject, and the reason is right."""
    seen = prove(admit(guaranteed("x", memory="11Gi")))

    assert "TopologyAffinityError" == reason(seen, "x")

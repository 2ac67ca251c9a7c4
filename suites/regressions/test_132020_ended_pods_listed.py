"""G1: PodResources listed pods that were over, with the memory they no longer use.

Symptom: schedulers that look at NUMA nodes keep a finished job's memory off the market. Cause: every pod the kubelet knew was
listed. Releases: up to 1.33; from 1.34 only active pods, and gate `KubeletPodResourcesListUseActivePods` brings the others back.
https://github.com/kubernetes/kubernetes/issues/132020
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, exits, guaranteed, static

NONE, RESTRICTED = static(), static(topology="restricted")
AS_BEFORE = static(gates={"KubeletPodResourcesListUseActivePods": False}, slug="all_pods")
JOBS = [guaranteed(name, memory="256Mi", restart_policy="Never") for name in ("one", "two")]


@case("MM-PODRES-009", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_finished_jobs_are_not_listed(prove: Prove) -> None:
    """Two pods of a job, as in the report: listed while they run, gone from the list when they have ended."""
    run = [admit(job) for job in JOBS]
    seen = prove(*run, exits("one", "c"), exits("two", "c"))

    assert (block(0, memory="256Mi"),) == seen.pod_resources("two", after=2)["c"].memory
    assert [({}, True), ({}, {})] == [
        (seen.pod_resources("one", after=3), bool(seen.pod_resources("two", after=3))),
        (seen.pod_resources("one"), seen.pod_resources("two")),
    ]


@case("MM-PODRES-020", machines="two_even", kubelet=AS_BEFORE, since="1.34")
def test_gate_lists_finished_jobs_again(prove: Prove) -> None:
    """For those who relied on it, the finished pod and its memory are listed until it is removed."""
    seen = prove(admit(JOBS[0]), exits("one", "c"))

    assert (block(0, memory="256Mi"),) == seen.pod_resources("one")["c"].memory

"""G7: static pods are pinned as others are.

Symptom: a Guaranteed static pod looks like BestEffort in the API, and consumers that read its mirror pod count no memory for
it. Cause: the mirror pod is what the API shows; the kubelet pins the pod of the manifest. All releases. Every pod of pinproof
is a static one.
https://github.com/kubernetes/kubernetes/issues/110944
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, restart, static

CPU = static(topology="single-numa-node", cpu="static")
POD = guaranteed("a", memory="6Gi", cpu="2")


@case("MM-REG-G7-001", machines="two_even", kubelet=CPU)
def test_static_pod_is_in_the_books_and_told_to_the_runtime(prove: Prove) -> None:
    """Memory and CPUs of one node, before and after a restart."""
    seen = prove(admit(POD), restart())

    for step in (1, 2):
        assert [block(0, memory="6Gi")] == seen.blocks("a", after=step)
        assert ("0", "1-2") == (seen.mems("a", after=step), seen.cpus("a", after=step))


@case("MM-REG-G7-001", machines="two_even", kubelet=CPU)
def test_static_pod_is_listed(prove: Prove) -> None:
    """PodResources has its memory and CPUs."""
    listed = prove(admit(POD)).pod_resources("a")["c"]

    assert ((block(0, memory="6Gi"),), "1-2") == (listed.memory, listed.cpus)

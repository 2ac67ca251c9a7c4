"""C7: huge pages that only an init container asks for are left out of the request of its pod.

Symptom: under scope pod the pod is sent to a node that does not have the pages, or over more nodes than the policy allows.
Cause: the sum of a pod goes over what its app containers ask for. Releases: all.
https://github.com/kubernetes/kubernetes/issues/140814
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, guaranteed, static

RESTRICTED_POD, SINGLE_POD = (static(topology=policy, scope="pod") for policy in ("restricted", "single-numa-node"))
SINGLE = static(topology="single-numa-node")

INIT = container("i", memory="1Gi", hugepages={"1Gi": "2Gi"})
REPORTED = admit(guaranteed("a", memory="1Gi", init=[INIT]))
"""Two pages of 1Gi for the init container, none for the app."""


@case("MM-REG-C7-001", machines="hugepages_even", kubelet=[RESTRICTED_POD, SINGLE_POD])
def test_pages_of_the_other_node(prove: Prove) -> None:
    """A page of node 0 is another pod's, so that only node 1 has two left: the pod is admitted there."""
    seen = prove(admit(guaranteed("x", memory="1Gi", hugepages={"1Gi": "1Gi"})), REPORTED)

    assert seen.admitted("a")
    assert [block(1, memory="1Gi")] == seen.blocks("a")


@case("MM-REG-C7-002", machines="hugepages_even", kubelet=SINGLE)
def test_scope_container(prove: Prove) -> None:
    """The control: each container is hinted for itself."""
    seen = prove(admit(guaranteed("x", memory="1Gi", hugepages={"1Gi": "1Gi"})), REPORTED)

    assert seen.admitted("a")
    assert [block(1, hugepages_1Gi="2Gi"), block(1, memory="1Gi")] == seen.blocks("a", "i")

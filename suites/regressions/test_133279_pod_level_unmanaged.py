"""H3: pods with pod-level resources, where the managers do not serve them.

Symptom: such a pod was pinned by what its containers ask for, although its QoS class is that of the pod as a whole. Cause: the
managers knew nothing of `spec.resources`. Releases: 1.32 and 1.33 with the alpha gate; from 1.34 the pod is left alone.
https://github.com/kubernetes/kubernetes/pull/133279
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, container, guaranteed, pod_level, restart, static

ALPHA = {"PodLevelResources": True}
NONE, RESTRICTED = static(gates=ALPHA), static(topology="restricted", gates=ALPHA)
SINGLE_POD = static(topology="single-numa-node", scope="pod", gates=ALPHA)
WHOLE = pod_level("a", container(memory="2Gi", cpu="1"), memory="6Gi", cpu="2")


@case("MM-REG-H3-001", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE_POD], since="1.32")
def test_pod_is_admitted_and_left_alone(prove: Prove) -> None:
    """No hints, no memory, no nodes; and it runs."""
    seen = prove(admit(WHOLE))

    assert seen.admitted("a")
    assert ({}, "") == (seen.assigned(), seen.mems("a"))


@case("MM-REG-H3-001", machines="two_even", kubelet=RESTRICTED, since="1.32")
def test_pod_beside_a_group_is_left_alone(prove: Prove) -> None:
    """A pod of 12Gi has both nodes, beside which restricted refuses everything that it would pin; this pod it would not."""
    large = pod_level("a", container(memory="1Gi", cpu="1"), memory="7Gi", cpu="2")
    seen = prove(admit(guaranteed("b", memory="12Gi")), admit(large), restart())

    assert seen.admitted("a")
    assert {"b": ["c"]} == seen.assigned()

"""C8: single-numa-node rejects pods that have no preference for a node.

Symptom: BestEffort, Burstable or fractional pods are rejected under single-numa-node. Cause: "no preference" was taken for a
hint of all nodes. Releases: before 1.17 (#83697, #83777).
https://github.com/kubernetes/kubernetes/pull/83697
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, besteffort, block, burstable, case, container, guaranteed, pod, static

SINGLE = [static(topology="single-numa-node", scope=scope, cpu="static") for scope in ("container", "pod")]


@case("MM-ADMIT-019", machines="two_even", kubelet=SINGLE)
def test_pods_of_every_class(prove: Prove) -> None:
    """All are admitted, and only those that are Guaranteed have memory of a node."""
    memory_only = pod("memory", container(memory="1Gi", cpu=None))
    fraction = guaranteed("fraction", memory="1Gi", cpu="1500m")
    seen = prove(
        admit(besteffort("none")), admit(burstable("some", memory="12Gi")), admit(memory_only), admit(fraction)
    )

    assert [True] * 4 == [seen.admitted(name) for name in ("none", "some", "memory", "fraction")]
    assert {"fraction": ["c"]} == seen.assigned()
    assert [block(0, memory="1Gi")] == seen.blocks("fraction")
    assert ["", "", "", "0"] == [seen.mems(name) for name in ("none", "some", "memory", "fraction")]

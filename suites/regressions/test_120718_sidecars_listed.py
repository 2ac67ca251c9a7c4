"""D3: PodResources did not list sidecars.

Symptom: what watches a node's memory does not see that of sidecars, and offers it again. Cause: only app containers were
listed. Releases: 1.28 and 1.29 have it, 1.30 does not.
https://github.com/kubernetes/kubernetes/pull/120718
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, exits, guaranteed, sidecar, static

NONE, RESTRICTED = static(), static(topology="restricted")


@case("MM-PODRES-008", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_sidecar_and_its_memory_are_listed(prove: Prove) -> None:
    """The sidecar before the app; the regular init container not, neither while it runs nor after."""
    init = [container("i", memory="1Gi"), sidecar("s", memory="2Gi")]
    seen = prove(admit(guaranteed("a", memory="4Gi", init=init)), exits("a", "i"))

    listed = [{name: r.memory for name, r in seen.pod_resources("a", after=step).items()} for step in (1, 2)]
    both = {"s": (block(0, memory="2Gi"),), "c": (block(0, memory="4Gi"),)}
    assert [both, both] == listed

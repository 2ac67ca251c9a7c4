"""H5: huge pages of a pod as a whole.

Symptom: a pod-level limit of huge pages was refused, or not handed on to the containers. Cause: pod-level resources began with
CPU and memory. Releases: from 1.34. What validation refuses, and what is written into cgroups, cannot be seen here.
https://github.com/kubernetes/kubernetes/pull/131089
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, mib, pod_level, restart, static

ON = static(topology="restricted", scope="pod", gates={"PodLevelResourceManagers": True})
OFF = static(topology="restricted", scope="pod")
WHOLE = pod_level("a", container(cpu=None), memory="1Gi", cpu="1", hugepages={"2Mi": "64Mi"})


@case("MM-REG-H5-001", machines="hugepages_even", kubelet=ON, since="1.36")
def test_pages_are_the_pods(prove: Prove) -> None:
    """64Mi of pages and 1Gi of memory, on one node."""
    seen = prove(admit(WHOLE))

    assert [block(0, hugepages_2Mi="64Mi"), block(0, memory="1Gi")] == seen.pod_blocks("a")
    assert mib(64) == seen.reserved(0, "hugepages-2Mi")


@case("MM-REG-H5-001", machines="hugepages_even", kubelet=OFF, since="1.34")
def test_pages_of_a_pod_that_is_not_served(prove: Prove) -> None:
    """The pod runs, and no pages are booked."""
    seen = prove(admit(WHOLE), restart())

    assert seen.admitted("a")
    assert 0 == seen.reserved(0, "hugepages-2Mi")

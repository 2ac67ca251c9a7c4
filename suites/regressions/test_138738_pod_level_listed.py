"""G3: pod-level memory in PodResources.

Symptom: a consumer that adds up containers counts the shared pool of a pod once for each container in it. Cause: the list
knew containers alone. Releases: 1.36 with gate `PodLevelResourceManagers`; 1.37 tells the pod's own memory in fields of the
pod, and of containers only those that have memory of their own. Fields of the pod are not observed here, as for an old client.
https://github.com/kubernetes/kubernetes/pull/138738
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, pod_level, static

ON = static(topology="restricted", scope="pod", gates={"PodLevelResourceManagers": True})
OFF = static(topology="restricted", scope="pod")
OWN, SHARED, OTHER = container("own", memory="2Gi", cpu="1"), container("x", cpu=None), container("y", cpu=None)


@case("MM-REG-G3-001", machines="two_even", kubelet=ON, since="1.36")
def test_no_memory_is_listed_twice(prove: Prove) -> None:
    """2Gi for one container and 4Gi that two share: what is listed of containers is no more than the pod's 6Gi."""
    seen = prove(admit(pod_level("a", OWN, SHARED, OTHER, memory="6Gi", cpu="2")))

    listed = {name: resources.memory for name, resources in seen.pod_resources("a").items()}
    assert (block(0, memory="2Gi"),) == listed["own"]
    assert ((), ()) == (listed["x"], listed["y"])


@case("MM-REG-G3-001", machines="two_even", kubelet=OFF, since="1.34")
def test_nothing_is_listed_of_a_pod_that_is_not_served(prove: Prove) -> None:
    """Without the gate such a pod has no memory in any list."""
    seen = prove(admit(pod_level("a", OWN, SHARED, memory="6Gi", cpu="2")))

    assert {()} == {resources.memory for resources in seen.pod_resources("a").values()}

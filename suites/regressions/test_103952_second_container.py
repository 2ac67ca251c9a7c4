"""B7: the admission of a pod's second container erases what the first was given.

Symptom: only the last container of a pod is pinned. Cause: the clean-up of state ran for each container, and a pod in
admission was not active yet. Releases: 1.22.0; #103979 mended it.
https://github.com/kubernetes/kubernetes/issues/103952
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, container, guaranteed, mib, remove, static

NONE, RESTRICTED = static(), static(topology="restricted")
RESTRICTED_POD = static(topology="restricted", scope="pod")
NAMES = ["c1", "c2", "c3"]
THREE = guaranteed("a", containers=[container(name, memory="1Gi", hugepages={"2Mi": "128Mi"}) for name in NAMES])


@case("MM-REG-B7-001", machines="hugepages_even", kubelet=[NONE, RESTRICTED, RESTRICTED_POD])
def test_three_containers(prove: Prove) -> None:
    """Each has its entry right after the admission, and is pinned."""
    seen = prove(admit(THREE))

    assert {"a": NAMES} == seen.assigned()
    assert ["0", "0", "0"] == [seen.mems("a", name) for name in NAMES]
    assert mib(384) == seen.reserved(0, "hugepages-2Mi")


@case("MM-REG-B7-001", machines="hugepages_even", kubelet=NONE)
def test_three_containers_while_another_pod_is_cleaned_up(prove: Prove) -> None:
    """The clean-up that comes with their admission takes the pod that is gone, and nothing else."""
    seen = prove(admit(guaranteed("x", memory="2Gi")), remove("x"), admit(THREE))

    assert {"a": NAMES} == seen.assigned()
    assert mib(3072) == seen.reserved(0)

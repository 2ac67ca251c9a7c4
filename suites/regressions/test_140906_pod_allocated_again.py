"""B1: the allocation of a pod as a whole is made a second time after a restart.

Symptom: a running pod is rejected, or its memory is counted twice and the next start refuses the state. Cause: the allocation
for a pod as a whole did not look whether it had been restored. Releases: 1.36 and 1.37 with gate `PodLevelResourceManagers`;
#141077, the fix, is in neither.
https://github.com/kubernetes/kubernetes/issues/140906
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, container, gib, guaranteed, pod_level, restart, static

GATE = {"PodLevelResourceManagers": True}
RESTRICTED, SINGLE, BEST_EFFORT = (
    static(topology=policy, scope="pod", gates=GATE) for policy in ("restricted", "single-numa-node", "best-effort")
)

CONTAINERS = (container("own", memory="2Gi", cpu="1"), container("shared", cpu=None))
POD = admit(pod_level("a", *CONTAINERS, memory="6Gi", cpu="2"))


@case("MM-REG-B1-001", machines="two_even", kubelet=[RESTRICTED, SINGLE, BEST_EFFORT], since="1.36")
def test_machine_has_room_for_it_twice(prove: Prove) -> None:
    """14Gi are free beside it."""
    seen = prove(POD, restart())

    assert seen.admitted("a")
    assert (gib(6), 0) == (seen.reserved(0), seen.reserved(1))
    assert seen.at(1).state_file == seen.state_file


@case("MM-REG-B1-001", machines="two_even", kubelet=[RESTRICTED, SINGLE], since="1.36")
def test_machine_has_no_room_for_it_twice(prove: Prove) -> None:
    """4Gi of its own node are free beside it; the other node is full."""
    seen = prove(POD, admit(guaranteed("b", memory="10Gi")), restart())

    assert [True, True] == [seen.admitted(pod) for pod in "ab"]
    assert seen.at(2).state_file == seen.state_file


@case("MM-REG-B1-001", machines="one", kubelet=RESTRICTED, since="1.36")
def test_machine_is_full_of_it(prove: Prove) -> None:
    """Nothing is free beside it, and a second restart comes."""
    seen = prove(admit(pod_level("a", *CONTAINERS, memory="10Gi", cpu="2")), restart(), restart())

    assert seen.running
    assert seen.admitted("a")
    assert gib(10) == seen.reserved(0)

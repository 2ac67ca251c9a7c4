"""D5: the memory that init containers leave to their pod is remembered for one pod at a time.

Symptom, feared: a pod's app container reuses what another pod's init container left. Cause: one map for all pods, from which
the entries of others are deleted; 1.22 deleted the wrong ones. Releases: 1.22 has it, 1.23 does not. Admissions follow each
other in one kubelet, so they interleave at a restart alone.
https://github.com/kubernetes/kubernetes/pull/104788
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, exits, gib, guaranteed, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")
A = guaranteed("a", memory="2Gi", init=[container("i", memory="4Gi")])
B = guaranteed("b", memory="3Gi", init=[container("i", memory="1Gi")])


@case("MM-REG-D5-001", machines="one", kubelet=[NONE, RESTRICTED])
def test_pods_do_not_reuse_from_each_other(prove: Prove) -> None:
    """Pod a takes 4Gi for its init container, pod b 3Gi for its app; b takes nothing of what a's init will leave."""
    seen = prove(admit(A), admit(B), exits("b", "i"), exits("a", "i"))

    assert [gib(4), gib(7), gib(7), gib(5)] == [seen.reserved(0, after=step) for step in (1, 2, 3, 4)]
    assert ([block(0, memory="2Gi")], [block(0, memory="3Gi")]) == (seen.blocks("a"), seen.blocks("b"))


@case("MM-REG-D5-001", machines="one", kubelet=NONE)
def test_restart_between_two_init_containers(prove: Prove) -> None:
    """Both init containers run; the kubelet restarts, forgets the map, and both pods end with what their app asks for."""
    both = (exits("a", "i"), exits("b", "i"))
    seen = prove(admit(A), admit(B), restart(order=("b", "a")), *both)

    assert [gib(7), gib(5)] == [seen.reserved(0, after=step) for step in (3, 5)]
    assert 2 == seen.assignments_on(0)


@case("MM-REG-D5-001", machines="one", kubelet=NONE)
def test_pods_that_are_booked_anew_in_the_other_order(prove: Prove) -> None:
    """The state file is lost: b comes first now, and each pod still takes the larger of its init and its app."""
    seen = prove(admit(A), admit(B), restart(state="lose", order=("b", "a")))

    assert gib(7) == seen.reserved(0)
    assert ([block(0, memory="2Gi")], [block(0, memory="3Gi")]) == (seen.blocks("a"), seen.blocks("b"))

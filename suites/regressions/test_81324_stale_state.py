"""B8: state is cleaned up before the kubelet knows all pods, or long after a pod is gone.

Symptom: entries of pods that live are lost at a start, or those of a deleted pod keep the next one away. Promised: nothing is
given back before the sources of pods are ready, and everything by the next admission. Releases: what was reported is older
than 1.29.
https://github.com/kubernetes/kubernetes/issues/81324
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, gib, guaranteed, remove, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")


@case("MM-RESTART-017", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_pod_that_is_gone_before_a_start_makes_room(prove: Prove) -> None:
    """X is deleted, the kubelet starts again with `b`, and Y has the room of X."""
    seen = prove(
        admit(guaranteed("x", memory="8Gi")),
        admit(guaranteed("b", memory="8Gi")),
        remove("x"),
        restart(),
        admit(guaranteed("y", memory="8Gi")),
    )

    assert [block(1, memory="8Gi")] == seen.blocks("b", after=4)
    assert [block(0, memory="8Gi")] == seen.blocks("y")
    assert {"b": ["c"], "y": ["c"]} == seen.assigned()


@case("MM-RESTART-017", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_nothing_is_given_back_at_a_start_without_pods(prove: Prove) -> None:
    """All pods are gone by the start; the books are right again with the first admission."""
    seen = prove(admit(guaranteed("x", memory="8Gi")), remove("x"), restart(), admit(guaranteed("y", memory="10Gi")))

    assert seen.admitted("y")
    assert [gib(10), 0] == [seen.reserved(node) for node in (0, 1)]

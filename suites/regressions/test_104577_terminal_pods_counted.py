"""B6: pods that have finished or were rejected are counted at the admission of others.

Symptom: a pod that fits is rejected while a finished one is still listed, or right after one was rejected. Cause: 1.22 took
pods for active by their phase in the API alone. Releases: 1.22, mended in 1.23; the race around rejected pods (#136508) is
open.
https://github.com/kubernetes/kubernetes/pull/104577
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, exits, gib, guaranteed, restart, static

NONE, RESTRICTED, SINGLE = static(), static(topology="restricted"), static(topology="single-numa-node")
JOB = admit(guaranteed("job", memory="8Gi", restart_policy="Never"))


@case("MM-REG-B6-001", machines="one", kubelet=[NONE, RESTRICTED])
def test_pod_that_has_finished(prove: Prove) -> None:
    """8Gi of 10Gi are a job's until it ends, and the next pod's then."""
    seen = prove(JOB, exits("job", "c"), admit(guaranteed("a", memory="8Gi")))

    assert [block(0, memory="8Gi")] == seen.blocks("a")
    assert {"a": ["c"]} == seen.assigned()


@case("MM-REG-B6-001", machines="one", kubelet=[NONE, RESTRICTED])
def test_pod_that_has_finished_before_a_restart(prove: Prove) -> None:
    """The same with a restart in between."""
    seen = prove(JOB, exits("job", "c"), restart(), admit(guaranteed("a", memory="8Gi")))

    assert [block(0, memory="8Gi")] == seen.blocks("a")
    assert gib(2) == seen.free(0)


@case("MM-REG-B6-001", machines="two_even", kubelet=[NONE, SINGLE])
def test_pod_that_was_rejected(prove: Prove) -> None:
    """A pod too big for any node is rejected, and the one behind it gets all of a node."""
    seen = prove(
        admit(guaranteed("a", memory="6Gi")),
        admit(guaranteed("x", memory="11Gi")),
        admit(guaranteed("b", memory="10Gi")),
    )

    assert seen.rejected("x")
    assert [block(1, memory="10Gi")] == seen.blocks("b")


@case("MM-REG-B6-001", machines="one", kubelet=NONE)
def test_running_pods_are_not_counted_twice_at_a_restart(prove: Prove) -> None:
    """Two pods fill the node; after a restart both run (#105523)."""
    pods = [admit(guaranteed(name, memory="5Gi", cpu="3")) for name in "ab"]
    seen = prove(*pods, restart(), restart(order=("b", "a")))

    assert [True, True] == [seen.admitted(pod) for pod in "ab"]
    assert 0 == seen.free(0)

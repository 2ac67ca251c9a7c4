"""B9: hints of a pod that runs are computed anew at a restart, against a node that it fills itself.

Symptom: pods are rejected with TopologyAffinityError after a restart on a full node. Promised: hints of what is allocated
already are those of the allocation. Releases: the CPU manager before 1.17 (#84525); the standing wish is #85133.
https://github.com/kubernetes/kubernetes/pull/84525
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, guaranteed, restart, static

POLICIES = [
    static(topology=policy, scope=scope, cpu="static")
    for policy in ("restricted", "single-numa-node")
    for scope in ("container", "pod")
]


@case("MM-REG-B9-001", machines="two_even", kubelet=POLICIES)
def test_full_node(prove: Prove) -> None:
    """Memory and CPUs of both nodes are used up to the last; both pods stay, in either order, where they are."""
    pods = [admit(guaranteed("a", memory="10Gi", cpu="7")), admit(guaranteed("b", memory="10Gi", cpu="8"))]
    seen = prove(*pods, restart(order=("b", "a")), restart())

    for step in (3, 4):
        assert [True, True] == [seen.admitted(pod, after=step) for pod in "ab"]
        assert ["1-7", "8-15"] == [seen.exclusive_cpus(pod, after=step) for pod in "ab"]
        assert [0, 0] == [seen.free(node, after=step) for node in (0, 1)]

"""C2: policy best-effort, which admits whatever can run, rejects a pod for its alignment.

Symptom: `UnexpectedAdmissionError` with "preferred hint violates NUMA node allocation", and plenty of memory is free. Cause:
the Topology Manager chooses among the hints that it gets; where memory has none, that of the CPUs stands, and the allocation
refuses it instead of looking for another. Releases: from 1.32 on, under scope pod; before, the group rule was broken instead
(#123443).
https://github.com/kubernetes/kubernetes/issues/138495
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, guaranteed, static

BEST_EFFORT = static(topology="best-effort", cpu="static")
BEST_EFFORT_POD = static(topology="best-effort", scope="pod", cpu="static")


@case("MM-REG-C2-001", machines="two_even", kubelet=BEST_EFFORT_POD, since="1.32")
def test_containers_that_would_fit_one_by_one(prove: Prove) -> None:
    """2Gi are on node 0. Two containers of 6Gi fit a node each, but their pod's 10 CPUs are on both."""
    two = [container("c1", memory="6Gi", cpu="5"), container("c2", memory="6Gi", cpu="5")]
    seen = prove(admit(guaranteed("small", memory="2Gi")), admit(guaranteed("a", containers=two)))

    assert seen.admitted("a")
    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks("a", name) for name in ("c1", "c2")]


@case("MM-REG-C2-002", machines="two_even", kubelet=BEST_EFFORT)
def test_second_container_with_cpus_of_both_nodes(prove: Prove) -> None:
    """2Gi and 2 CPUs, then 2Gi and 10 CPUs: the memory of each is on one node, which one node can give."""
    two = [container("c1", memory="2Gi", cpu="2"), container("c2", memory="2Gi", cpu="10")]
    seen = prove(admit(guaranteed("a", containers=two)))

    assert seen.admitted("a")
    assert [block(0, memory="2Gi")] == seen.blocks("a", "c1") == seen.blocks("a", "c2")


@case("MM-REG-C2-002", machines="two_even", kubelet=BEST_EFFORT_POD)
def test_pod_with_cpus_of_both_nodes(prove: Prove) -> None:
    """The same pod as a whole, 4Gi and 12 CPUs, on an empty machine."""
    two = [container("c1", memory="2Gi", cpu="2"), container("c2", memory="2Gi", cpu="10")]
    seen = prove(admit(guaranteed("a", containers=two)))

    assert seen.admitted("a")

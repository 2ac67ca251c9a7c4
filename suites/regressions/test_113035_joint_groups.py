"""A3: the groups of two nodes disagree in the state file, and the kubelet fails to restart now and then.

Symptom: node 0 has `cells: [0]`, node 1 `cells: [0, 1]`; some restarts end with "the expected machine state is different".
Cause: a node's group is overwritten with whatever the Topology Manager chose, without a look at the groups that live there; at
the next start the order of a Go map decides whose group is left. Releases: sets of nodes up to 1.31 (#123443 looks at them
from 1.32 on); a single node that is taken out of a group: all.
https://github.com/kubernetes/kubernetes/issues/113035
"""

from __future__ import annotations

from itertools import permutations

from pinproof.suite import Prove, admit, besteffort, case, container, guaranteed, remove, restart, static

BEST_EFFORT = static(topology="best-effort")
BEST_EFFORT_CPU = static(topology="best-effort", cpu="static")
BEST_EFFORT_POD_CPU = static(topology="best-effort", scope="pod", cpu="static")

OTHER = admit(besteffort("other"))


@case("MM-REG-A3-001", machines="two_even", kubelet=BEST_EFFORT)
def test_set_of_nodes_over_a_single_one(prove: Prove) -> None:
    """2Gi on node 0, then 16Gi: the second pod must not make a group of a node that serves the first alone."""
    seen = prove(admit(guaranteed("a", memory="2Gi")), admit(guaranteed("b", memory="16Gi")))

    assert [(0,), (1,)] == [seen.cells(node) for node in (0, 1)]
    assert {"a": ["c"]} == seen.assigned()


@case("MM-REG-A3-001", machines="hugepages_even", kubelet=BEST_EFFORT_POD_CPU)
def test_huge_pages_of_mixed_sizes(prove: Prove) -> None:
    """The report: pods with 2Mi pages of mixed sizes under best-effort with scope pod, and restarts.

    A node has 10Gi and 1Gi of pages. The second pod needs both nodes, of which one serves the first pod alone.
    """
    a = guaranteed("a", memory="1Gi", hugepages={"2Mi": "256Mi"})
    x = guaranteed("x", memory="11Gi", hugepages={"2Mi": "1100Mi"})
    seen = prove(admit(a), admit(x), restart(), restart())

    for step in range(5):
        assert [(0,), (1,)] == [seen.cells(node, after=step) for node in (0, 1)]


@case("MM-REG-A3-001", machines="three", kubelet=BEST_EFFORT)
def test_groups_that_would_overlap(prove: Prove) -> None:
    """15Gi over nodes 0 and 1, then 12Gi, which only nodes 1 and 2 could hold: node 1 is in one group alone."""
    seen = prove(
        admit(guaranteed("a", memory="15Gi")),
        admit(guaranteed("b", memory="12Gi")),
        *(restart(order=order) for order in permutations("ab")),
    )

    for step in range(1, 5):
        assert [(0, 1), (0, 1), (2,)] == [seen.cells(node, after=step) for node in (0, 1, 2)]


@case("MM-REG-A3-002", machines="two_even", kubelet=BEST_EFFORT_POD_CPU)
def test_single_node_out_of_a_group(prove: Prove) -> None:
    """A pod of two containers fits nowhere as a whole: its first must not get a node of the living group for itself."""
    group = [guaranteed("a", cpu="5", memory="12Gi"), guaranteed("b", cpu="2", memory="4Gi")]
    two = [container("first", cpu="1", memory="1Gi"), container("second", cpu="1", memory="6Gi")]
    seen = prove(*map(admit, group), admit(guaranteed("x", containers=two)), remove("x"), OTHER, restart())

    assert [(0, 1), (0, 1)] == [seen.cells(node, after=3) for node in (0, 1)]
    assert seen.running


@case("MM-REG-A3-003", machines="two_even", kubelet=[BEST_EFFORT, BEST_EFFORT_CPU])
def test_group_that_is_joined(prove: Prove) -> None:
    """The control: a small pod joins the group as a whole, and every order of a restart succeeds."""
    pods = [admit(guaranteed(name, memory=memory)) for name, memory in (("a", "12Gi"), ("b", "2Gi"), ("d", "3Gi"))]
    seen = prove(*pods, *(restart(order=order) for order in permutations("abd")))

    for step in range(1, 10):
        assert [(0, 1), (0, 1)] == [seen.cells(node, after=step) for node in (0, 1)]

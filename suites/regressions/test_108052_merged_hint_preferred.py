"""C5: a merged hint is called preferred although its parts differ.

Symptom: with more than two nodes restricted admits a pod whose resources are on different sets of nodes. Cause: `{0011 true}`
and `{0101 true}` made `{0001 true}`. Releases: before 1.24; from then on all parts have to be equal (#108052).
https://github.com/kubernetes/kubernetes/pull/108052
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, static

RESTRICTED = static(topology="restricted", cpu="static")
BEST_EFFORT = static(topology="best-effort", cpu="static")

UNEQUAL = admit(guaranteed("a", memory="15Gi", cpu="9"))
"""Memory of two nodes, CPUs of three."""


@case("MM-ADMIT-017", machines="four_snc2", kubelet=RESTRICTED)
def test_memory_of_two_nodes_and_cpus_of_three(prove: Prove) -> None:
    """Restricted refuses."""
    seen = prove(UNEQUAL)
    verdict = seen.verdict("a")

    assert verdict is not None
    assert "TopologyAffinityError" == verdict.reason


@case("MM-ADMIT-018", machines="four_snc2", kubelet=BEST_EFFORT)
def test_best_effort_takes_it(prove: Prove) -> None:
    """Best-effort admits, with memory of the three nodes of the CPUs."""
    seen = prove(UNEQUAL)

    assert [block((0, 1, 2), memory="15Gi")] == seen.blocks("a")


@case("MM-ADMIT-017", machines="four_snc2", kubelet=RESTRICTED)
def test_both_of_two_nodes(prove: Prove) -> None:
    """The control: 15Gi and 6 CPUs need two nodes each."""
    seen = prove(admit(guaranteed("a", memory="15Gi", cpu="6")))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")

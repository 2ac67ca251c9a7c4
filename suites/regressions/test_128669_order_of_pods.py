"""C3: whether restricted admits two pods depends on their order.

Symptom: a pod of 256Mi is `TopologyAffinityError` with 74GB free on node 1, after it had been admitted before. It is meant so:
a pod over both nodes makes a group of them, and a grouped node serves no pod alone. Releases: the small pod is refused in all;
that the big pod is refused behind the small one, from 1.32 on (#123443).
https://github.com/kubernetes/kubernetes/issues/128669
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, guaranteed, mib, remove, static

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
RESTRICTED_POD = static(topology="restricted", scope="pod")

SMALL, BIG = admit(guaranteed("small", memory="256Mi")), admit(guaranteed("big", memory="85Gi"))
AGAIN = admit(guaranteed("again", memory="256Mi"))


def of_the_report(machine: Machine) -> Machine:
    """78483636224 and 87445463040 bytes for pods on two nodes, 512Mi more on each for the system."""
    amounts = (78_483_636_224, 87_445_463_040)
    pairs = zip(machine.nodes, amounts, strict=True)
    return replace(machine, nodes=tuple(replace(node, memory=amount + mib(512)) for node, amount in pairs))


@case("MM-ADMIT-012", machines="two_even", kubelet=[RESTRICTED, RESTRICTED_POD])
def test_sequence_of_the_report(prove: Prove) -> None:
    """Small on node 0, big over both, small gone, small again: what node 0 has left is 256Mi, and it is refused."""
    seen = prove(SMALL, BIG, remove("small"), AGAIN, machine=of_the_report(prove.machine))

    assert [block(0, memory="256Mi")] == seen.blocks("small", after=1)
    assert seen.rejected("big", after=2)
    assert [block(0, memory="256Mi")] == seen.blocks("again")


@case("MM-ADMIT-012", machines="two_even", kubelet=[RESTRICTED, RESTRICTED_POD])
def test_big_pod_first(prove: Prove) -> None:
    """The small pod is refused for its locality."""
    seen = prove(BIG, SMALL, machine=of_the_report(prove.machine))
    verdict = seen.verdict("small")

    assert [block((0, 1), memory="85Gi")] == seen.blocks("big")
    assert verdict is not None
    assert "TopologyAffinityError" == verdict.reason


@case("MM-ADMIT-012", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_big_pod_first_where_alignment_is_not_required(prove: Prove) -> None:
    """The small pod joins the group."""
    seen = prove(BIG, SMALL, machine=of_the_report(prove.machine))

    assert [block((0, 1), memory="256Mi")] == seen.blocks("small")


@case("MM-ADMIT-003", machines="two_even", kubelet=SINGLE)
def test_single_numa_node_knows_no_groups(prove: Prove) -> None:
    """The big pod is never admitted, the small one always."""
    seen = prove(BIG, SMALL, machine=of_the_report(prove.machine))

    assert seen.rejected("big")
    assert [block(0, memory="256Mi")] == seen.blocks("small")

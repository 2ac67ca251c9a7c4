"""G2: what PodResources says of memory, and what consumers made of it.

Symptom: exporters show nothing under policy None, count a block of two nodes twice, or take bytes for pages. Cause: memory is
told under Static alone, in bytes, a block once with all its nodes, and `GetAllocatableResources` does not shrink. All releases.
https://github.com/kubernetes/kubernetes/pull/101030
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, none_policy, static

NONE, RESTRICTED = static(), static(topology="restricted")
PAGES = {"2Mi": "512Mi", "1Gi": "2Gi"}


@case("MM-PODRES-001", machines="two_even", kubelet=none_policy())
def test_policy_none_reports_no_memory(prove: Prove) -> None:
    """Neither of the pod nor of the node."""
    seen = prove(admit(guaranteed("a", memory="4Gi")))

    assert ((), ()) == (seen.pod_resources("a")["c"].memory, seen.allocatable_resources.memory)


@case("MM-PODRES-005", machines="hugepages_even", kubelet=[NONE, RESTRICTED])
def test_huge_pages_are_bytes(prove: Prove) -> None:
    """512Mi of small pages are 536870912, not 256; allocatable ones are 1073741824 a node, used or not."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages=PAGES)))

    reported = {each.type: each.size for each in seen.pod_resources("a")["c"].memory}
    assert {"memory": 1073741824, "hugepages-2Mi": 536870912, "hugepages-1Gi": 2147483648} == reported
    assert block(0, hugepages_2Mi="1Gi") in seen.allocatable_resources.memory


@case("MM-PODRES-004", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_block_of_two_nodes_is_one_block(prove: Prove) -> None:
    """15Gi over both nodes: the sizes of a list add up to what the pod has."""
    seen = prove(admit(guaranteed("a", memory="15Gi")))

    assert (block((0, 1), memory="15Gi"),) == seen.pod_resources("a")["c"].memory

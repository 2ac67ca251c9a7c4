"""E2: huge pages in `reservedMemory` can never be right.

Symptom: the documentation's own example does not start, `the total amount "…" of type "hugepages-2Mi" is not equal to the
value "0"`. Cause: Node Allocatable holds no huge pages back, and `systemReserved` does not take them. All releases;
proposed as KEP-6252.
https://github.com/kubernetes/enhancements/pull/6253
"""

from __future__ import annotations

from pinproof.suite import Prove, case, configured, mib

WITH_PAGES = configured(
    "with_pages",
    memory_manager_policy="Static",
    kube_reserved={"memory": "412Mi"},
    reserved_memory={0: {"memory": "512Mi", "hugepages-2Mi": "64Mi"}},
)
HELD_BACK = configured(
    "pages_held_back",
    memory_manager_policy="Static",
    kube_reserved={"memory": "412Mi"},
    system_reserved={"hugepages-2Mi": "64Mi"},
    reserved_memory={0: {"memory": "512Mi", "hugepages-2Mi": "64Mi"}},
)


@case("MM-REG-E2-001", machines="hugepages_even", kubelet=[WITH_PAGES, HELD_BACK])
def test_huge_pages_can_be_reserved(prove: Prove) -> None:
    """64Mi of the 1Gi of small pages of node 0 are the system's, whether Node Allocatable is told so or not."""
    seen = prove()

    assert seen.running, seen.refusal
    assert (mib(64), mib(960)) == (
        seen.system_reserved(0, "hugepages-2Mi"),
        seen.allocatable(0, "hugepages-2Mi"),
    )

"""F7: under a kernel without NUMA the sockets are taken for NUMA nodes that have no memory.

Symptom: policy Static starts, and has 16Ei to give away; every pod fits. Cause: cAdvisor makes a node of every socket and
leaves its memory at 0, from which the reservation is subtracted. All releases.
https://github.com/google/cadvisor/issues/2127
"""

from __future__ import annotations

from pinproof.suite import Prove, case, gib, none_policy, static

ON_0 = static(reserved={0: "512Mi"}, slug="reserved_on_0")


@case("MM-CONF-011", machines="no_numa", kubelet=ON_0)
def test_no_more_is_allocatable_than_there_is(prove: Prove) -> None:
    """The machine has 21Gi; a kubelet that does not start with policy Static would be right as well."""
    seen = prove()

    assert not seen.running or seen.allocatable(0) <= gib(21)


@case("MM-REG-F7-001", machines="no_numa", kubelet=none_policy())
def test_policy_none_needs_no_nodes(prove: Prove) -> None:
    """Where nothing is to be pinned the kubelet starts."""
    assert prove().running

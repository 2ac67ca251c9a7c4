"""E3: an `evictionHard` of one's own replaces the defaults, and so changes what `reservedMemory` must add up to.

Symptom: a distribution writes two thresholds for disks, `memory.available` falls from 100Mi to nothing, and a reservation
that was right is refused; a percentage fits one machine size only. Cause: by design. All releases; from 1.33 the field
`mergeDefaultEvictionSettings` keeps the defaults.
https://github.com/kubernetes/kubernetes/issues/119985
"""

from __future__ import annotations

from pinproof.suite import Configuration, Prove, case, configured


def holding(
    slug: str, reserved: str, evict: dict[str, str] | None, *, kube: str = "412Mi", **more: object
) -> Configuration:
    """`kubeReserved` of 412Mi, this threshold, and a reservation on node 0."""
    return configured(
        slug,
        memory_manager_policy="Static",
        kube_reserved={"memory": kube} if kube else {},
        reserved_memory={0: {"memory": reserved}},
        **({} if evict is None else {"eviction_hard": evict}),
        **more,
    )


DISKS = {"nodefs.available": "5%", "imagefs.available": "5%"}
UNSET = holding("unset", "512Mi", None)
OWN = holding("own_threshold", "924Mi", {"memory.available": "512Mi"})
DISKS_ONLY = holding("disks_only", "412Mi", DISKS)
ZERO = holding("zero", "412Mi", {"memory.available": "0"})
ZERO_PERCENT = holding("zero_percent", "412Mi", {"memory.available": "0%"})
PERCENT = holding("percent", "1559442244", {"memory.available": "5%"})
MERGED = holding("merged", "512Mi", DISKS, merge_default_eviction_settings=True)


@case("MM-CONF-002", machines="two_even", kubelet=[UNSET, OWN, DISKS_ONLY, ZERO_PERCENT, PERCENT])
def test_reservation_that_matches(prove: Prove) -> None:
    """412Mi and the threshold: 100Mi where there is none, what it says where there is one, nothing where it says nothing."""
    seen = prove()

    assert seen.running, seen.refusal


@case("MM-CONF-003", machines="two_even", kubelet=MERGED, since="1.33")
def test_defaults_that_are_kept(prove: Prove) -> None:
    """Thresholds for disks, and the default of 100Mi beside them."""
    seen = prove()

    assert seen.running, seen.refusal


@case("MM-CONF-002", machines="two_even", kubelet=holding("disks_only_100", "512Mi", DISKS))
def test_reservation_that_was_right_before(prove: Prove) -> None:
    """The sum that holds with the default is refused where thresholds for disks took its place."""
    seen = prove()

    assert not seen.running
    assert '"512Mi" of type "memory" is not equal to the value "412Mi"' in seen.refusal


@case("MM-CONF-004", machines="three", kubelet=PERCENT)
def test_percentage_on_another_machine(prove: Prove) -> None:
    """The reservation that fits 5% of two nodes is refused on three."""
    seen = prove()

    assert not seen.running
    assert 'total amount "1559442244" of type "memory" is not equal to the value "2123156710"' in seen.refusal


@case("MM-REG-E3-001", machines="two_even", kubelet=ZERO)
def test_threshold_of_nothing(prove: Prove) -> None:
    """`0` is no threshold, whatever is reserved; only a percentage may be nothing."""
    seen = prove()

    assert not seen.running
    assert "eviction threshold memory.available must be positive: 0" in seen.refusal


@case(
    "MM-CONF-005",
    machines="two_even",
    kubelet=configured("nothing_at_all", memory_manager_policy="Static", eviction_hard={"memory.available": "0%"}),
)
def test_nothing_is_held_back(prove: Prove) -> None:
    """No reservation, no threshold: policy Static wants some memory for the system."""
    seen = prove()

    assert not seen.running
    assert "[memorymanager] you should specify the system reserved memory" in seen.refusal

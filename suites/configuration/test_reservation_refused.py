"""Reservations with which a kubelet does not start, and what it says. Machines are read as 10752Mi a node."""

from __future__ import annotations

from pinproof.suite import Configuration, Prove, case, configured, none_policy, static

NOT_THE_SAME = (
    'the total amount "{ours}" of type "{kind}" is not equal to the value "{theirs}" '
    "determined by Node Allocatable feature"
)
DUPLICATE = 'the reserved memory has a duplicate value for NUMA node 0 and resource "memory"'
ZERO = 'reserved memory may not be zero for NUMA node 1 and resource "memory"'
UNKNOWN_TYPE = (
    'the limit type "cpu" for NUMA node 0 is not supported, only [memory hugepages-<HugePageSize>] is accepted'
)
TWICE = [(0, {"memory": "256Mi"}), (1, {"memory": "512Mi"}), (0, {"memory": "256Mi"})]


def reserving(slug: str, reserved: object, *, kube: str = "412Mi", **more: object) -> Configuration:
    """Policy Static with exactly this `reservedMemory`; `kube` and the default eviction threshold of 100Mi are due."""
    kube_reserved = {"memory": kube} if kube else {}
    return configured(
        slug, memory_manager_policy="Static", reserved_memory=reserved, kube_reserved=kube_reserved, **more
    )


ONE_BYTE_MORE = reserving("one_byte_more", {0: {"memory": "536870913"}})
ONE_BYTE_LESS = reserving("one_byte_less", {0: {"memory": "268435456"}, 1: {"memory": "268435455"}})
NO_EVICTION = reserving("eviction_forgotten", {0: {"memory": "256Mi"}, 1: {"memory": "256Mi"}}, kube="512Mi")
DECIMAL = reserving("decimal_for_binary", {0: {"memory": "512M"}})
NONE_AT_ALL = reserving("no_reservation", {}, kube="")
NOTHING_DUE = reserving("nothing_due", {}, kube="", eviction_hard={})
ABSENT_NODE = reserving("absent_node", {0: {"memory": "256Mi"}, 7: {"memory": "256Mi"}})
GAP = reserving("node_of_a_gap", {1: {"memory": "512Mi"}})
SMALL_PAGES = reserving("small_pages", {0: {"memory": "512Mi", "hugepages-2Mi": "64Mi"}})
BIG_PAGES = reserving("big_pages", {0: {"memory": "512Mi"}, 1: {"hugepages-1Gi": "1Gi"}})
NO_SIGNAL = reserving("eviction_without_memory", {0: {"memory": "512Mi"}}, eviction_hard={"nodefs.available": "1%"})
MERGED = reserving(
    "eviction_merged",
    {0: {"memory": "412Mi"}},
    eviction_hard={"nodefs.available": "1%"},
    merge_default_eviction_settings=True,
)
PERCENT = reserving(
    "percent_elsewhere", {0: {"memory": "1127428932"}}, kube="", eviction_hard={"memory.available": "5%"}
)
EXACT_PERCENT = reserving(
    "exact_percent", {0: {"memory": "1127428915"}}, kube="", eviction_hard={"memory.available": "5%"}
)


def different(ours: str, theirs: str, kind: str = "memory") -> str:
    """The refusal of sums that are not the same."""
    return NOT_THE_SAME.format(ours=ours, kind=kind, theirs=theirs)


@case("MM-CONF-001", machines="two_even", kubelet=ONE_BYTE_MORE)
def test_one_byte_too_many(prove: Prove) -> None:
    """One byte more than Node Allocatable holds back is too many."""
    seen = prove()

    assert not seen.running
    assert different("536870913", "512Mi") in seen.refusal


@case("MM-CONF-001", machines="two_even", kubelet=ONE_BYTE_LESS)
def test_one_byte_too_few(prove: Prove) -> None:
    """One byte less, in the sum over the nodes, is too few."""
    seen = prove()

    assert not seen.running
    assert different("536870911", "512Mi") in seen.refusal


@case("MM-CONF-001", machines="two_even", kubelet=DECIMAL)
def test_decimal_unit_is_not_the_binary_one(prove: Prove) -> None:
    """`512M` is not `512Mi`, and the message shows both as they were written."""
    seen = prove()

    assert not seen.running
    assert different("512M", "512Mi") in seen.refusal


@case("MM-CONF-001", machines="two_even", kubelet=NONE_AT_ALL)
def test_no_reservation_at_all(prove: Prove) -> None:
    """Policy Static without `reservedMemory` fails even where only the default eviction threshold is held back."""
    seen = prove()

    assert not seen.running
    assert different("0", "100Mi") in seen.refusal


@case("MM-CONF-002", machines="two_even", kubelet=NO_EVICTION)
def test_eviction_threshold_forgotten(prove: Prove) -> None:
    """The default hard threshold of 100Mi counts beside `kubeReserved`, where nobody wrote it down."""
    seen = prove()

    assert not seen.running
    assert different("512Mi", "612Mi") in seen.refusal


@case("MM-CONF-002", machines="two_even", kubelet=NO_SIGNAL)
def test_eviction_map_without_memory(prove: Prove) -> None:
    """An `evictionHard` of one's own replaces the defaults: without `memory.available` nothing is held back by it."""
    seen = prove()

    assert not seen.running
    assert different("512Mi", "412Mi") in seen.refusal


@case("MM-CONF-003", machines="two_even", kubelet=MERGED, since="1.33")
def test_eviction_map_merged_with_the_defaults(prove: Prove) -> None:
    """With `mergeDefaultEvictionSettings` the default threshold holds again, and counts."""
    seen = prove()

    assert not seen.running
    assert different("412Mi", "512Mi") in seen.refusal


@case("MM-CONF-004", machines="three", kubelet=PERCENT)
def test_percentage_on_another_machine(prove: Prove) -> None:
    """A reservation that fits 5% of one machine's memory does not fit a machine with one node more."""
    seen = prove()

    assert not seen.running
    assert different("1127428932", "1691143398") in seen.refusal


@case("MM-CONF-004", machines="two_even", kubelet=EXACT_PERCENT)
def test_percentage_is_not_computed_exactly(prove: Prove) -> None:
    """5% of 22548578304 bytes is 1127428932 in the kubelet's arithmetic, not the 1127428915 of a pocket calculator."""
    seen = prove()

    assert not seen.running
    assert different("1127428915", "1127428932") in seen.refusal


@case("MM-CONF-005", machines="two_even", kubelet=NOTHING_DUE)
def test_nothing_held_back(prove: Prove) -> None:
    """A system that keeps nothing for itself is refused: policy Static wants some memory reserved."""
    seen = prove()

    assert not seen.running
    assert "[memorymanager] you should specify the system reserved memory" in seen.refusal


@case("MM-CONF-006", machines="two_even", kubelet=ABSENT_NODE)
def test_reservation_on_an_absent_node(prove: Prove) -> None:
    """A reservation on a node that the machine does not have is refused."""
    seen = prove()

    assert not seen.running
    assert "references a NUMA node 7 that does not exist on this machine" in seen.refusal


@case("MM-CONF-006", machines="ids_gaps", kubelet=GAP)
def test_reservation_on_a_number_in_a_gap(prove: Prove) -> None:
    """Nodes are named by the kernel's numbers, not by position: 0, 2, 5 has no node 1."""
    seen = prove()

    assert not seen.running
    assert "references a NUMA node 1 that does not exist on this machine" in seen.refusal


@case("MM-CONF-007", machines="two_even", kubelet=reserving("node_twice", TWICE))
def test_node_and_type_twice(prove: Prove) -> None:
    """The same type on the same node in two entries is refused, although the sum would be right."""
    seen = prove()

    assert not seen.running
    assert DUPLICATE in seen.refusal


@case("MM-CONF-007", machines="two_even", kubelet=reserving("zero", {0: {"memory": "512Mi"}, 1: {"memory": "0"}}))
def test_reservation_of_nothing(prove: Prove) -> None:
    """An entry of 0 is refused; a node without reservation is left out."""
    seen = prove()

    assert not seen.running
    assert ZERO in seen.refusal


@case("MM-CONF-007", machines="two_even", kubelet=reserving("type_cpu", {0: {"memory": "512Mi", "cpu": "1"}}))
def test_reservation_of_another_type(prove: Prove) -> None:
    """Only memory and huge pages can be reserved."""
    seen = prove()

    assert not seen.running
    assert UNKNOWN_TYPE in seen.refusal


@case("MM-CONF-007", machines="two_even", kubelet=none_policy(reserved_memory=TWICE, slug="none_node_twice"))
def test_form_is_checked_for_policy_none(prove: Prove) -> None:
    """A malformed `reservedMemory` is refused with policy None as well."""
    seen = prove()

    assert not seen.running
    assert DUPLICATE in seen.refusal


@case("MM-CONF-008", machines=["hugepages_even", "two_even"], kubelet=SMALL_PAGES)
def test_small_huge_pages_cannot_be_reserved(prove: Prove) -> None:
    """Node Allocatable holds no huge pages back, so reserving some cannot add up, with pages on the machine or not."""
    seen = prove()

    assert not seen.running
    assert different("64Mi", "0", "hugepages-2Mi") in seen.refusal


@case("MM-CONF-008", machines="hugepages_even", kubelet=BIG_PAGES)
def test_big_huge_pages_cannot_be_reserved(prove: Prove) -> None:
    """The same for 1Gi pages, on a node whose memory is not reserved."""
    seen = prove()

    assert not seen.running
    assert different("1Gi", "0", "hugepages-1Gi") in seen.refusal


@case(
    "MM-CONF-008",
    machines="hugepages_even",
    kubelet=static(system_reserved={"hugepages-2Mi": "64Mi"}, slug="system_pages"),
)
def test_huge_pages_are_no_system_reservation(prove: Prove) -> None:
    """`systemReserved` does not take huge pages, so there is no other way to hold them back."""
    seen = prove()

    assert not seen.running
    assert 'cannot reserve "hugepages-2Mi" resource' in seen.refusal

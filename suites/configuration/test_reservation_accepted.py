"""Reservations with which a kubelet starts: what counts is the sum in bytes, not how it is written or spread."""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, configured, gib, guaranteed, mib, none_policy, static

DOCUMENTED = configured(
    "documented",
    memory_manager_policy="Static",
    kube_reserved={"cpu": "4", "memory": "4Gi"},
    system_reserved={"cpu": "1", "memory": "1Gi"},
    eviction_hard={"memory.available": "100Mi"},
    reserved_memory={0: {"memory": "3Gi"}, 1: {"memory": "2148Mi"}},
)
OTHER_UNITS = configured(
    "other_units",
    memory_manager_policy="Static",
    kube_reserved={"memory": "432013312"},
    reserved_memory={0: {"memory": "268435456"}, 1: {"memory": "262144Ki"}},
)
FRACTION = configured(
    "fraction",
    memory_manager_policy="Static",
    kube_reserved={"memory": "412Mi"},
    reserved_memory={0: {"memory": "0.5Gi"}},
)
NO_THRESHOLD = configured(
    "no_threshold",
    memory_manager_policy="Static",
    kube_reserved={"memory": "512Mi"},
    eviction_hard={"nodefs.available": "1%"},
    reserved_memory={1: {"memory": "512Mi"}},
)
UNSUMMED = none_policy(reserved_memory={0: {"memory": "3Gi"}, 9: {"memory": "1Gi"}}, slug="none_unsummed")


@case("MM-CONF-009", machines="two_even", kubelet=DOCUMENTED)
def test_example_of_the_documentation(prove: Prove) -> None:
    """4Gi + 1Gi + 100Mi = 3Gi + 2148Mi, spread as the documentation spreads them."""
    seen = prove()

    assert [gib(3), mib(2148)] == [seen.system_reserved(node) for node in (0, 1)]
    assert [mib(7680), mib(8604)] == [seen.free(node) for node in (0, 1)]


@case("MM-CONF-009", machines="two_even", kubelet=OTHER_UNITS)
def test_sums_are_compared_in_bytes(prove: Prove) -> None:
    """Bytes and binary units may stand for one another."""
    seen = prove()

    assert [mib(256), mib(256)] == [seen.system_reserved(node) for node in (0, 1)]


@case("MM-CONF-009", machines="two_even", kubelet=FRACTION)
def test_fraction_of_a_unit(prove: Prove) -> None:
    """`0.5Gi` is a whole number of bytes, the same as `512Mi`."""
    seen = prove()

    assert mib(512) == seen.system_reserved(0)


@case("MM-CONF-009", machines="two_even", kubelet=NO_THRESHOLD)
def test_all_on_one_node_without_threshold(prove: Prove) -> None:
    """One node may carry everything, and without a memory threshold only the reservations are due."""
    seen = prove(admit(guaranteed("a", memory="10752Mi")))

    assert [0, mib(512)] == [seen.system_reserved(node) for node in (0, 1)]
    assert "0" == seen.mems("a")


@case("MM-CONF-009", machines="cxl", kubelet=static(reserved={2: "1Gi"}, slug="static_on_expander"))
def test_reservation_on_a_node_without_cpus(prove: Prove) -> None:
    """The system's memory may be taken from a memory-only node."""
    seen = prove()

    assert [0, 0, gib(1)] == [seen.system_reserved(node) for node in (0, 1, 2)]


@case("MM-CONF-010", machines="two_even", kubelet=UNSUMMED)
def test_policy_none_does_not_add_up(prove: Prove) -> None:
    """With policy None a well-formed `reservedMemory` is not looked at: neither its sum nor its nodes."""
    seen = prove(admit(guaranteed("a", memory="1Gi")))

    assert seen.admitted("a")
    assert "" == seen.mems("a")


@case("MM-CONF-011", machines="no_numa", kubelet=static(reserved={0: "512Mi"}, slug="static_reserved_0"))
def test_kernel_without_numa(prove: Prove) -> None:
    """Where the kernel shows no nodes there is no memory to pin, and the books must not make some up."""
    seen = prove()

    assert [0, 0] == [seen.free(node) for node in (0, 1)]

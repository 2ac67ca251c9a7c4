"""E1: `reservedMemory` must add up to what Node Allocatable holds back, to the byte.

Symptom: the kubelet does not start, "the total amount … is not equal to the value … determined by Node Allocatable feature".
Cause: by design; people forget the default eviction threshold of 100Mi, or a node, or mistake a unit. All releases.
https://github.com/kubernetes/kubernetes/issues/109766
"""

from __future__ import annotations

from pinproof.suite import Configuration, Prove, case, configured, mib

HELD_BACK = {"memory": "412Mi"}
"""`kubeReserved`; with the default threshold 512Mi are held back."""


def reserving(slug: str, reserved: object, **more: object) -> Configuration:
    """Policy Static with exactly this `reservedMemory`."""
    fields: dict[str, object] = {"kube_reserved": HELD_BACK, **more}
    return configured(slug, memory_manager_policy="Static", reserved_memory=reserved, **fields)


ON_ONE = reserving("all_on_node_1", {1: {"memory": "512Mi"}})
SPREAD = reserving("spread", {0: {"memory": "300Mi"}, 1: {"memory": "212Mi"}})
IN_BYTES = reserving("in_bytes", {0: {"memory": "536870912"}})
BY_SYSTEM = reserving("system_reserved", {0: {"memory": "512Mi"}}, kube_reserved={}, system_reserved=HELD_BACK)

OMITTED = reserving("omitted", {})
BYTE_MORE = reserving("byte_more", {0: {"memory": "256Mi"}, 1: {"memory": "268435457"}})
BYTE_LESS = reserving("byte_less", {0: {"memory": "536870911"}})
FORGOTTEN = reserving("threshold_forgotten", {0: {"memory": "412Mi"}})
DECIMAL = reserving("decimal_unit", {0: {"memory": "512M"}})
NEBIUS = reserving("threshold_of_a_preset", {0: {"memory": "1229Mi"}}, kube_reserved={"memory": "1229Mi"})


@case("MM-CONF-009", machines="two_even", kubelet=[ON_ONE, SPREAD, IN_BYTES, BY_SYSTEM])
def test_exact_sum_starts(prove: Prove) -> None:
    """Wherever the 512Mi are, however they are written, and whoever they are held back for."""
    seen = prove()

    assert seen.running
    assert mib(512) == seen.system_reserved(0) + seen.system_reserved(1)


@case("MM-CONF-001", machines="two_even", kubelet=[OMITTED, BYTE_MORE, BYTE_LESS, FORGOTTEN, DECIMAL, NEBIUS])
def test_any_other_sum_is_refused_with_both_numbers(prove: Prove) -> None:
    """The message has what was reserved and what would have been right."""
    ours, theirs = {
        "omitted": ("0", "512Mi"),
        "byte_more": ("536870913", "512Mi"),
        "byte_less": ("536870911", "512Mi"),
        "threshold_forgotten": ("412Mi", "512Mi"),
        "decimal_unit": ("512M", "512Mi"),
        "threshold_of_a_preset": ("1229Mi", "1329Mi"),
    }[prove.configuration.slug]
    seen = prove()

    assert not seen.running
    amounts = f'the total amount "{ours}" of type "memory" is not equal to the value "{theirs}"'
    assert f"{amounts} determined by Node Allocatable feature" in seen.refusal


@case("MM-CONF-006", machines="two_even", kubelet=reserving("no_such_node", {2: {"memory": "512Mi"}}))
def test_node_that_does_not_exist(prove: Prove) -> None:
    """A reservation on node 2 of a machine with the nodes 0 and 1."""
    seen = prove()

    assert not seen.running
    assert "references a NUMA node 2 that does not exist on this machine" in seen.refusal


@case(
    "MM-CONF-007",
    machines="two_even",
    kubelet=reserving("same_node_twice", [(0, {"memory": "256Mi"}), (0, {"memory": "256Mi"})]),
)
def test_node_that_is_named_twice(prove: Prove) -> None:
    """The entries are not added up."""
    seen = prove()

    assert not seen.running
    assert 'the reserved memory has a duplicate value for NUMA node 0 and resource "memory"' in seen.refusal

"""Configurations against behaviour.md 1.2 to 1.4 and 5.6: what is reserved, and with what words a kubelet refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.configuration import Settings, node_reservation, settle
from pinproof.reference.outcomes import StartRefused
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.machine import Machine
from pinproof.scenario.quantity import Quantity
from tests.reference_values import GIB, MIB, machine, reserved, static

TWO = machine(10, 10)


def first(options: Sequence[str] | Mapping[str, float]) -> str:
    """One of the texts that Go's map order leaves open."""
    return next(iter(options))


def settled(config: KubeletConfig, on: Machine = TWO, minor: str = "1.36") -> Settings:
    """The settings of a configuration that is accepted."""
    return settle(on, config, behaviour_of(minor), first)


def refusal(on: Machine = TWO, minor: str = "1.36", base: KubeletConfig | None = None, **changes: Any) -> str:
    """The words for a sound configuration with these changes."""
    with pytest.raises(StartRefused) as caught:
        settled(replace(base or static(len(on.nodes), "restricted"), **changes), on, minor)
    return str(caught.value)


def memory_kept(config: KubeletConfig, on: Machine = TWO, minor: str = "1.36") -> int:
    """Bytes of memory that Node Allocatable keeps from pods."""
    return node_reservation(on, config, behaviour_of(minor)).get("memory", Quantity.ZERO).value()


DOCUMENTED = KubeletConfig(
    memory_manager_policy="Static",
    kube_reserved=(("cpu", "4"), ("memory", "4Gi")),
    system_reserved=(("cpu", "1"), ("memory", "1Gi")),
    eviction_hard=(("memory.available", "100Mi"),),
    reserved_memory=reserved({0: "3Gi", 1: "2148Mi"}),
)


def test_example_of_the_documentation() -> None:
    """1.4: 4Gi and 1Gi and the threshold make 5220Mi, met by 3Gi and 2148Mi."""
    assert 5220 * MIB == memory_kept(DOCUMENTED)
    assert [7 * GIB, 8092 * MIB] == list(settled(DOCUMENTED, machine(10, 10, cpus=8)).empty.allocatable("memory"))


def test_percentage_goes_through_32_bit_arithmetic() -> None:
    """1.3: 10% of 10 GiB is not a tenth of it: p is 0.100000001490116..."""
    kept = memory_kept(replace(KubeletConfig(), eviction_hard=(("memory.available", "10%"),)), machine(10))

    assert 1073741840 == int(10 * GIB * 0.100000001490116119384765625) == kept
    assert GIB != kept


@pytest.mark.parametrize(
    ("hard", "merge", "minor", "mib"),
    [
        (None, False, "1.36", 100),
        ((), False, "1.36", 0),
        ((("nodefs.available", "1Gi"),), False, "1.36", 0),
        ((("nodefs.available", "1Gi"),), True, "1.36", 100),
        ((("nodefs.available", "1Gi"),), True, "1.32", 0),
        ((("memory.available", "7Mi"),), True, "1.36", 7),
    ],
)
def test_default_threshold(hard: Any, merge: bool, minor: str, mib: int) -> None:
    """A map replaces the defaults, unless they are merged (1.33)."""
    config = KubeletConfig(eviction_hard=hard, merge_default_eviction_settings=merge)

    assert mib * MIB == memory_kept(config, minor=minor)


def test_reserved_cpus_replace_both_lists() -> None:
    """`reservedSystemCPUs` says how many CPUs are kept, whatever else is written."""
    config = KubeletConfig(kube_reserved=(("cpu", "3"),), system_reserved=(("cpu", "2"),), reserved_system_cpus="0,4")

    assert 2 == node_reservation(TWO, config, behaviour_of("1.36"))["cpu"].value()


LIMIT = "invalid configuration: "
REFUSED: list[tuple[str, Mapping[str, Any], str]] = [
    ("policy", {"memory_manager_policy": "static"}, 'unknown policy: "static"'),
    (
        "windows only",
        {"memory_manager_policy": "BestEffort"},
        'policy "BestEffort" is not available for platform "linux"',
    ),
    (
        "no node",
        {"reserved_memory": reserved({0: "1Gi", 2: "1Gi"})},
        "the reserved memory configuration references a NUMA node 2 that does not exist on this machine",
    ),
    (
        "sum",
        {"reserved_memory": reserved({0: "1Gi", 1: "1023Mi"})},
        'the total amount "2047Mi" of type "memory" is not equal to the value "2Gi" determined by Node Allocatable feature',
    ),
    (
        "nothing reserved",
        {"reserved_memory": (), "kube_reserved": (), "eviction_hard": ()},
        "[memorymanager] you should specify the system reserved memory",
    ),
    (
        "type",
        {"reserved_memory": (MemoryReservation(0, (("cpu", Quantity.parse("1")),)),)},
        f'{LIMIT}the limit type "cpu" for NUMA node 0 is not supported, only [memory hugepages-<HugePageSize>] is accepted',
    ),
    (
        "zero",
        {"reserved_memory": reserved({1: "0"})},
        f'{LIMIT}reserved memory may not be zero for NUMA node 1 and resource "memory"',
    ),
    (
        "twice",
        {"reserved_memory": reserved({0: "1Gi"}) * 2},
        f'{LIMIT}the reserved memory has a duplicate value for NUMA node 0 and resource "memory"',
    ),
    (
        "scope",
        {"topology_manager_scope": "node"},
        f'{LIMIT}topologyManagerScope (--topology-manager-scope) "node" must be one of: "container", or "pod"',
    ),
    (
        "option",
        {"topology_manager_policy_options": (("prefer-nearest", "true"),)},
        'unknown Topology Manager Policy option: "prefer-nearest"',
    ),
    (
        "small limit",
        {"topology_manager_policy_options": (("max-allowable-numa-nodes", "7"),)},
        'the minimum value of "max-allowable-numa-nodes" should not be less than 8',
    ),
    (
        "no distances",
        {"topology_manager_policy_options": (("prefer-closest-numa-nodes", "true"),)},
        "cannot discover NUMA topology: error getting NUMA distances from cadvisor",
    ),
    ("kind", {"kube_reserved": (("hugepages-2Mi", "2Mi"),)}, 'cannot reserve "hugepages-2Mi" resource'),
]


@pytest.mark.parametrize(("changes", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refusals(changes: Mapping[str, Any], words: str) -> None:
    """The texts of 1.2, 1.4 and 5.6."""
    assert words == refusal(**changes)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("prefer-closest-numa-nodes", "yes", 'bad value for option "prefer-closest-numa-nodes"'),
        ("max-allowable-numa-nodes", "x", 'unable to convert policy option to integer "max-allowable-numa-nodes"'),
    ],
)
def test_option_of_the_wrong_kind(option: str, value: str, words: str) -> None:
    """Booleans as Go parses them, and integers."""
    assert refusal(topology_manager_policy_options=((option, value),)).startswith(words)


def test_limit_on_nodes_is_known_since_131() -> None:
    """`max-allowable-numa-nodes` (#124148)."""
    options = (("max-allowable-numa-nodes", "9"),)

    assert "unknown Topology Manager Policy option" in refusal(minor="1.30", topology_manager_policy_options=options)
    assert settled(replace(static(2, "restricted"), topology_manager_policy_options=options), minor="1.31")


def test_more_than_eight_nodes_need_the_option() -> None:
    """Except under policy none, which looks at neither."""
    nine = machine(*[4] * 9, cpus=1)

    assert "unsupported on machines with more than 8 NUMA Nodes" == refusal(nine)
    assert settled(static(9), nine).merger is None


def test_huge_pages_cannot_be_reserved() -> None:
    """Node Allocatable never keeps any, so any reservation of them differs from it (1.3)."""
    pages = (MemoryReservation(0, (("memory", Quantity.parse("2Gi")), ("hugepages-2Mi", Quantity.parse("10Mi")))),)

    assert 'the total amount "10Mi" of type "hugepages-2Mi" is not equal to the value "0"' in refusal(
        reserved_memory=pages
    )


def test_policy_none_checks_no_reservation() -> None:
    """Only the values themselves (1.4)."""
    assert settled(KubeletConfig(reserved_memory=reserved({7: "1Gi"})))
    assert "may not be zero" in refusal(base=KubeletConfig(reserved_memory=reserved({7: "0"})))

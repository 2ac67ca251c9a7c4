"""Reboots after which a node shows more or less memory than before, by 64 MiB or by a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Step
from pinproof.suite import AS_IT_WAS, Prove, admit, case, configured, guaranteed, reboots, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")
AS_BEFORE = "as before"
DIFFERENT = "refuses: [memorymanager] the expected machine state is different from the real one"

KIB, MIB = 1 << 10, 1 << 20
DRIFTS = {
    f"{sign}{text}": (-1 if sign == "-" else 1) * size
    for text, size in {
        "1Ki": KIB,
        "4Ki": 4 * KIB,
        "64Ki": 64 * KIB,
        "1Mi": MIB,
        "16Mi": 16 * MIB,
        "64Mi": 64 * MIB,
    }.items()
    for sign in "-+"
}
"""Name → bytes."""

ALL_REFUSED = dict.fromkeys(DRIFTS, DIFFERENT) | {AS_IT_WAS: AS_BEFORE}

ON_BOTH = [admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi"))]
GROUP = [admit(guaranteed("g", memory="15Gi"))]

FIVE_PERCENT = configured(
    "five_percent",
    memory_manager_policy="Static",
    eviction_hard={"memory.available": "5%"},
    kube_reserved={"memory": "100Mi"},
    reserved_memory={0: {"memory": str(1127428932 + 100 * MIB)}},
)
"""A threshold of 5% of two nodes of 10752Mi is 1127428932 bytes to a kubelet, which multiplies in 32 bits."""


def drifted(machine: Machine, **by: int) -> Machine:
    """The machine with so many bytes more on the nodes `n0`, `n1`."""
    return replace(machine, nodes=tuple(replace(n, memory=n.memory + by.get(f"n{n.id}", 0)) for n in machine.nodes))


def outcomes(prove: Prove, *steps: Step, **factors: int) -> Mapping[str, str]:
    """What comes of each drift, times a factor for each node that drifts."""
    changes = {
        name: restart(machine=drifted(prove.machine, **{node: factor * size for node, factor in factors.items()}))
        for name, size in DRIFTS.items()
    }
    return reboots(prove, *steps, changes=changes)


@case("MM-REBOOT-001", "MM-REBOOT-002", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_one_node_without_pods(prove: Prove) -> None:
    """Any drift of one node refuses on a machine that never ran a pod, down to a KiB."""
    assert ALL_REFUSED == outcomes(prove, n1=1)


@case("MM-REBOOT-001", "MM-REBOOT-002", machines="two_even", kubelet=NONE)
def test_between_nodes_without_pods(prove: Prove) -> None:
    """The sum of the machine may be what it was: it is compared node by node."""
    assert ALL_REFUSED == outcomes(prove, n0=-1, n1=1)


@case("MM-REBOOT-001", "MM-REBOOT-002", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_one_node_under_pods(prove: Prove) -> None:
    """With pods on both nodes; when the memory is what it was, they are where they were."""
    assert ALL_REFUSED == outcomes(prove, *ON_BOTH, n0=1)


@case("MM-REBOOT-001", "MM-REBOOT-002", machines="two_even", kubelet=NONE)
def test_between_nodes_of_a_group(prove: Prove) -> None:
    """A pod over both nodes has as much as before in sum, and the kubelet refuses all the same."""
    assert ALL_REFUSED == outcomes(prove, *GROUP, n0=1, n1=-1)


@case("MM-REBOOT-001", "MM-REBOOT-002", machines="cxl", kubelet=NONE)
def test_node_without_cpus(prove: Prove) -> None:
    """Memory of an expander drifts no better."""
    assert ALL_REFUSED == outcomes(prove, *ON_BOTH, n2=1)


@case("MM-REBOOT-002", machines=["two_even", "three"], kubelet=[NONE, RESTRICTED])
def test_same_memory(prove: Prove) -> None:
    """Reboots into the same memory lose nothing, one after the other and after a drift."""
    drift = restart(machine=drifted(prove.machine, n0=-4096))
    found = reboots(prove, *ON_BOTH, changes={"1": restart(), "2": restart(), "drift": drift, "3": restart()})

    assert {"1": AS_BEFORE, "2": AS_BEFORE, "drift": DIFFERENT, "3": AS_BEFORE, AS_IT_WAS: AS_BEFORE} == found


@case("MM-REBOOT-001", "MM-REBOOT-006", machines="two_even", kubelet=FIVE_PERCENT)
def test_threshold_in_percent(prove: Prove) -> None:
    """Where the threshold is a part of the machine, more memory is a reservation that does not add up any more.

    It is told as such, before the state is looked at. A drift between the nodes leaves the sum, and is told as any.
    """
    found = reboots(
        prove,
        ON_BOTH[0],
        changes={
            "sum": restart(machine=drifted(prove.machine, n1=64 * MIB)),
            "spread": restart(machine=drifted(prove.machine, n0=-4096, n1=4096)),
        },
    )

    assert 'the total amount "1232286532" of type "memory" is not equal to the value "1235641975"' in found["sum"]
    assert (DIFFERENT, AS_BEFORE) == (found["spread"], found[AS_IT_WAS])

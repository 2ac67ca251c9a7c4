"""I2: what fits the machine need not fit a node.

Symptom: a virtual machine of 2Gi in pages of 2Mi does not start, although 2048 such pages are free: 1290 on one node and 758 on
the other, to which it was bound. Cause: only Static places a pod where all its pages are. Releases: none of the kubelet's; it
is the reason to run Static.
https://github.com/kubevirt/kubevirt/issues/6981
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, guaranteed, none_policy, static

NONE, RESTRICTED, SINGLE = static(), static(topology="restricted"), static(topology="single-numa-node")
GUEST = guaranteed("guest", memory="256Mi", hugepages={"2Mi": "2Gi"})
SECOND = guaranteed("second", memory="256Mi", hugepages={"2Mi": "2Gi"})


def reported(machine: Machine) -> Machine:
    """1290 pages of 2Mi on node 0 and 758 on node 1, and no others."""
    pages = {0: 1290, 1: 758}
    return replace(machine, nodes=tuple(replace(n, hugepages=((2 << 20, pages[n.id]),)) for n in machine.nodes))


def swapped(machine: Machine) -> Machine:
    """The same with the larger pool on node 1."""
    first, second = reported(machine).nodes
    return replace(
        machine, nodes=(replace(first, hugepages=second.hugepages), replace(second, hugepages=first.hugepages))
    )


@case("MM-HUGE-008", machines="hugepages_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_guest_is_bound_to_the_node_that_has_its_pages(prove: Prove) -> None:
    """Whichever node that is."""
    first = prove(admit(GUEST), machine=reported(prove.machine))
    second = prove(admit(GUEST), machine=swapped(prove.machine))

    assert ("0", "1") == (first.mems("guest"), second.mems("guest"))
    assert [block(0, hugepages_2Mi="2Gi"), block(0, memory="256Mi")] == first.blocks("guest")


@case("MM-HUGE-012", machines="hugepages_even", kubelet=[NONE, SINGLE])
def test_second_guest_is_refused(prove: Prove) -> None:
    """266 and 758 pages are left, 1024 in all, and no node has enough."""
    seen = prove(admit(GUEST), admit(SECOND), machine=reported(prove.machine))

    assert seen.rejected("second")


@case("MM-PIN-009", machines="hugepages_even", kubelet=none_policy(topology="single-numa-node"))
def test_without_static_nothing_is_bound(prove: Prove) -> None:
    """Both are admitted, and neither is told a node."""
    seen = prove(admit(GUEST), machine=reported(prove.machine))

    assert (True, "") == (seen.admitted("guest"), seen.mems("guest"))

"""A10: the pool of huge pages changes between two starts, or after the kubelet has started.

Symptom: pages that are set aside later are seen by no pod until the kubelet starts again, and a kubelet with policy Static does
not start again. It is meant so: pools are read at the start, and a page more is memory less, so that two memory types differ
from the state file.
https://github.com/kubernetes/kubernetes/issues/99483
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, block, case, gib, guaranteed, mib, restart, static

STATIC = static()
DIFFERENT = "[memorymanager] the expected machine state is different from the real one"


def with_pages(machine: Machine, *pools: int) -> Machine:
    """The machine with so many pages of 2Mi on each node in turn, and those of 1Gi as they are."""
    pairs = zip(machine.nodes, pools, strict=True)
    return replace(
        machine, nodes=tuple(replace(node, hugepages=((mib(2), small), (gib(1), 2))) for node, small in pairs)
    )


@case("MM-RESTART-041", machines="hugepages_even", kubelet=STATIC)
def test_pool_of_another_boot(prove: Prove) -> None:
    """As many pages, otherwise spread; more pages; fewer: each is refused, and the old pool is welcome."""
    other = [(0, 1024), (1024, 1024), (256, 512)]
    for pools in other:
        seen = prove(restart(machine=with_pages(prove.machine, *pools)), restart(machine=prove.machine))

        assert DIFFERENT in (seen.observation(1).refusal or "")
        assert seen.running


@case("MM-RESTART-041", machines="hugepages_even", kubelet=STATIC)
def test_pool_that_a_pod_uses(prove: Prove) -> None:
    """A pod has 1Gi of pages of node 0, which come back as 512Mi: refused, and the pod's container runs on."""
    pod = guaranteed("a", memory="1Gi", hugepages={"2Mi": "1Gi"})
    seen = prove(admit(pod), restart(machine=with_pages(prove.machine, 256, 512)))

    assert not seen.running
    assert DIFFERENT in seen.refusal
    assert "0" == seen.mems("a", after=1)


@case("MM-RESTART-041", machines="two_even", kubelet=STATIC)
def test_page_size_is_new(prove: Prove) -> None:
    """A page size that the machine did not have before."""
    seen = prove(restart(machine="hugepages_even"))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-025", machines="two_even", kubelet=STATIC)
def test_pages_are_seen_once_the_file_is_gone(prove: Prove) -> None:
    """With the file deleted the pages are allocatable, and a pod gets them."""
    pod = guaranteed("a", memory="1Gi", hugepages={"2Mi": "512Mi"})
    seen = prove(restart(state="lose", machine="hugepages_even"), admit(pod))

    assert gib(1) == seen.allocatable(0, "hugepages-2Mi")
    assert [block(0, hugepages_2Mi="512Mi"), block(0, memory="1Gi")] == seen.blocks("a")

"""As many pods as a node may have: admitted, restarted, and one more."""

from __future__ import annotations

from pinproof.scenario.pod import Pod
from pinproof.suite import Prove, admit, besteffort, block, case, gib, guaranteed, mib, remove, restart, static

BEST_EFFORT, RESTRICTED, NONE = static(topology="best-effort"), static(topology="restricted"), static()
CPU = static(topology="restricted", cpu="static")

NODE_LIMIT = 110


def pods(number: int, memory: str) -> list[Pod]:
    """So many pods of one size."""
    return [guaranteed(f"p{index}", memory=memory) for index in range(number)]


@case("MM-SCALE-001", machines="two_even", kubelet=RESTRICTED)
def test_a_node_takes_110_pods_and_no_more(prove: Prove) -> None:
    """110 pods of 172Mi fill node 0 with 59, which leaves 92Mi of its 10Gi, and node 1 with 51; the next finds no place."""
    seen = prove(*map(admit, pods(NODE_LIMIT, "172Mi")), admit(guaranteed("more", memory="64Mi")))

    assert NODE_LIMIT == sum(seen.admitted(f"p{index}") for index in range(NODE_LIMIT))
    assert [59, 51] == [seen.assignments_on(node, after=NODE_LIMIT) for node in (0, 1)]
    assert [mib(92), mib(1468)] == [seen.free(node, after=NODE_LIMIT) for node in (0, 1)]
    refused = seen.verdict("more")
    assert refused is not None
    assert not refused.admitted
    assert "(res: pods, q: 1)" in refused.message


@case("MM-SCALE-002", machines="two_even", kubelet=CPU)
def test_110_pods_come_back(prove: Prove) -> None:
    """After a restart, and one more after a kill, all 110 are where they were."""
    come_back(prove)


@case("MM-SCALE-002", machines="two_even", kubelet=[NONE, RESTRICTED], nightly=True)
def test_110_pods_come_back_under_other_policies(prove: Prove) -> None:
    """The same without hints, and with hints of memory alone."""
    come_back(prove)


def come_back(prove: Prove) -> None:
    """Two restarts of 110 pods."""
    seen = prove(*map(admit, pods(NODE_LIMIT, "172Mi")), restart(), restart(signal="KILL"))

    for after in (NODE_LIMIT + 1, NODE_LIMIT + 2):
        assert NODE_LIMIT == sum(seen.admitted(f"p{index}", after=after) for index in range(NODE_LIMIT))
        assert [block(0, memory="172Mi")] == seen.blocks("p0", after=after) == seen.blocks("p58", after=after)
        assert [block(1, memory="172Mi")] == seen.blocks("p59", after=after) == seen.blocks("p109", after=after)
        assert [59, 51] == [seen.assignments_on(node, after=after) for node in (0, 1)]
        assert [mib(92), mib(1468)] == [seen.free(node, after=after) for node in (0, 1)]


@case("MM-SCALE-002", machines="four_snc2", kubelet=BEST_EFFORT, nightly=True)
def test_a_node_that_was_full_is_empty_again(prove: Prove) -> None:
    """When the 110 pods are gone, the next pod finds everything free, before a restart and after it."""
    many = pods(NODE_LIMIT, "256Mi")
    seen = prove(*map(admit, many), restart(), *map(remove, many), admit(besteffort("other")), restart())

    assert [40, 40, 30, 0] == [seen.assignments_on(node, after=NODE_LIMIT + 1) for node in range(4)]
    assert [gib(10)] * 4 == [seen.free(node) for node in range(4)]
    assert {} == seen.assigned()

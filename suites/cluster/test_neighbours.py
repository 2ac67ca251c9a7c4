"""A node as it is goes on as it was: rejections change nothing, and the pods that are there keep what they have."""

from __future__ import annotations

from pinproof.suite import Prove, Seen, admit, besteffort, case, eighth, guaranteed, nodes, remove, restart, static

SINGLE = static(topology="single-numa-node", cpu="static")


def others(seen: Seen, *ours: str, after: int = -1) -> object:
    """Memory and exclusive CPUs of the pods that are not ours."""
    observation = seen.observation(after)
    memory, cpu = observation.assignments, observation.cpu
    assert memory is not None
    assert cpu is not None
    return [{pod: held for pod, held in books.items() if pod not in ours} for books in (memory, cpu.entries)]


@case("MM-CLUSTER-003", machines="two_even", kubelet=SINGLE, given=True)
def test_more_than_any_node_has_is_rejected(prove: Prove) -> None:
    """A Mi more than the emptiest node has free; the next pod is served as if nothing had been."""
    if prove.configuration(prove.machine).topology_manager_policy != "single-numa-node":
        prove.needs("topologyManagerPolicy single-numa-node")
    before = prove()
    most = max(before.free(node) for node in nodes(before))
    size = eighth(before)
    seen = prove(admit(guaranteed("a", memory=str(most + (1 << 20)))), admit(guaranteed("b", memory=str(size))))

    assert seen.rejected("a", after=1)
    assert before.observation().machine == seen.observation(1).machine
    assert [size] == [block.size for block in seen.blocks("b")]


@case("MM-CLUSTER-004", machines="two_even", kubelet=SINGLE, given=True)
def test_pods_that_are_there_keep_what_they_have(prove: Prove) -> None:
    """While others come, run side by side and go."""
    size = str(eighth(prove()))
    seen = prove(
        admit(guaranteed("a", memory=size, cpu="1")),
        admit(guaranteed("b", memory=size)),
        remove("a"),
        admit(besteffort("d")),
    )

    for step in range(5):
        assert others(seen, after=0) == others(seen, "a", "b", after=step)
    assert 1 == len(seen.blocks("b"))


@case("MM-CLUSTER-004", machines="two_even", kubelet=SINGLE, given=True)
def test_two_pods_share_nothing(prove: Prove) -> None:
    """What both take is missing once each."""
    before = prove()
    size = eighth(before)
    seen = prove(admit(guaranteed("a", memory=str(size))), admit(guaranteed("b", memory=str(2 * size))))

    free = [sum(each.free(node) for node in nodes(each)) for each in (before, seen)]
    assert 3 * size == free[0] - free[1]


@case("MM-CLUSTER-005", machines="two_even", kubelet=SINGLE, given=True)
def test_a_restart_keeps_everything(prove: Prove) -> None:
    """The kubelet comes back with the blocks of every pod, of ours and of the others; the next pod gets what is left."""
    size = str(eighth(prove()))
    seen = prove(admit(guaranteed("a", memory=size, cpu="1")), restart(), admit(guaranteed("b", memory=size)))

    assert seen.blocks("a", after=1) == seen.blocks("a", after=2) == seen.blocks("a")
    assert seen.exclusive_cpus("a", after=1) == seen.exclusive_cpus("a")
    assert others(seen, after=0) == others(seen, "a", after=2)
    assert seen.observation(1).machine == seen.observation(2).machine

"""What a kubelet tells of a pod on a node as it is: counters and PodResources."""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, eighth, guaranteed, remove, static

SINGLE = static(topology="single-numa-node", cpu="static")
REQUESTS, ERRORS = "memory_manager_pinning_requests_total", "memory_manager_pinning_errors_total"


@case("MM-CLUSTER-002", machines="two_even", kubelet=SINGLE, given=True, since="1.32")
def test_one_request_is_counted_for_a_container(prove: Prove) -> None:
    """One more than before, and no error."""
    seen = prove(admit(guaranteed("a", memory=str(eighth(prove())))))

    assert 1 == seen.counter(REQUESTS) - seen.counter(REQUESTS, after=0)
    assert 0 == seen.counter(ERRORS) - seen.counter(ERRORS, after=0)


@case("MM-CLUSTER-002", machines="two_even", kubelet=SINGLE, given=True)
def test_the_block_is_reported_while_the_pod_is_there(prove: Prove) -> None:
    """PodResources has the block of the books, and nothing when the pod is gone."""
    size = eighth(prove())
    seen = prove(admit(guaranteed("a", memory=str(size), cpu="1")), remove("a"))

    there = seen.at(1)
    told = [block for container in there.pod_resources("a").values() for block in container.memory]
    assert [(size, "memory")] == [(block.size, block.type) for block in told]
    assert there.blocks("a") == told
    assert {} == seen.pod_resources("a")


@case("MM-CLUSTER-002", machines="two_even", kubelet=SINGLE, given=True)
def test_a_cpu_of_its_own_is_reported(prove: Prove) -> None:
    """Under the static CPU manager policy a whole CPU is exclusive, of the node of the memory."""
    size = eighth(prove())
    if prove.configuration(prove.machine).cpu_manager_policy != "static":
        prove.needs("cpuManagerPolicy static")
    seen = prove(admit(guaranteed("a", memory=str(size), cpu="1")))

    nodes = {node for block in seen.blocks("a") for node in block.affinity}
    mine = {str(cpu) for node in prove.machine.nodes if node.id in nodes for cpu in node.cpus}
    assert seen.exclusive_cpus("a") in mine
    assert [seen.exclusive_cpus("a")] == [container.cpus for container in seen.pod_resources("a").values()]

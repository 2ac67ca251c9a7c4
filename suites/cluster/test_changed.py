"""A node that may be disrupted, with another configuration or without its state files; afterwards it has its own again."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.quantity import Quantity
from pinproof.suite import Prove, Seen, admit, case, eighth, guaranteed, mib, nodes, remove, restart, static

SINGLE = static(topology="single-numa-node", cpu="static")


def single_numa_node(prove: Prove) -> KubeletConfig:
    """The node's configuration, which has this policy."""
    config = prove.configuration(prove.machine)
    if config.topology_manager_policy != "single-numa-node":
        prove.needs("topologyManagerPolicy single-numa-node")
    return config


def too_wide(prove: Prove) -> str:
    """A Mi more than any NUMA node has, where no pod has taken any."""
    before = prove()
    if before.observation().assignments:
        prove.needs("no pods with memory of their own")
    return str(max(before.free(node) for node in nodes(before)) + mib(1))


def with_more_reserved(config: KubeletConfig, amount: int) -> KubeletConfig:
    """So many bytes more of `reservedMemory` on the first NUMA node that has some, and of `kubeReserved`."""
    first, *others = config.reserved_memory
    limits = {**dict(first.limits), "memory": Quantity.of_bytes(dict(first.limits)["memory"].value() + amount)}
    kube = dict(config.kube_reserved)
    kube["memory"] = str(Quantity.of_bytes(Quantity.parse(kube.get("memory", "0")).value() + amount))
    reserved = (replace(first, limits=tuple(limits.items())), *others)
    return replace(config, reserved_memory=reserved, kube_reserved=tuple(kube.items()))


def free(seen: Seen, after: int) -> int:
    """Bytes of all NUMA nodes together that nobody has."""
    return sum(seen.free(node, after=after) for node in nodes(seen))


@case("MM-CLUSTER-007", machines="two_even", kubelet=SINGLE, given=True)
def test_another_policy_counts_from_the_restart_on(prove: Prove) -> None:
    """What no NUMA node holds is rejected by single-numa-node, and spread over two by best-effort."""
    config, size = single_numa_node(prove), too_wide(prove)
    seen = prove(
        admit(guaranteed("a", memory=size)),
        remove("a"),
        restart(kubelet=replace(config, topology_manager_policy="best-effort")),
        admit(guaranteed("b", memory=size)),
    )

    assert seen.rejected("a", after=1)
    assert [(int(size), 2)] == [(block.size, len(block.affinity)) for block in seen.blocks("b")]


@case("MM-CLUSTER-007", machines="two_even", kubelet=SINGLE, given=True)
def test_another_policy_counts_from_the_beginning_on(prove: Prove) -> None:
    """The node is begun anew with best-effort, and then again as it was."""
    config, size = single_numa_node(prove), too_wide(prove)
    wide = prove(admit(guaranteed("a", memory=size)), kubelet=replace(config, topology_manager_policy="best-effort"))
    narrow = prove(admit(guaranteed("a", memory=size)))

    assert [(int(size), 2)] == [(block.size, len(block.affinity)) for block in wide.blocks("a")]
    assert narrow.rejected("a")


@case("MM-CLUSTER-008", machines="two_even", kubelet=SINGLE, given=True)
def test_a_lost_state_file_is_made_again(prove: Prove) -> None:
    """Pods that run have what they had, in size; the next gets what is left."""
    size = eighth(prove())
    seen = prove(
        admit(guaranteed("a", memory=str(size), cpu="1")),
        restart(state="lose", cpu_state="lose"),
        restart(),
        admit(guaranteed("b", memory=str(size))),
    )

    assert [size] == [block.size for block in seen.blocks("a", after=2)]
    assert seen.blocks("a", after=2) == seen.blocks("a", after=3)
    assert size == free(seen, 3) - free(seen, 4)


@case("MM-CLUSTER-008", machines="two_even", kubelet=SINGLE, given=True)
def test_more_reserved_memory_is_less_to_give(prove: Prove) -> None:
    """256Mi more are reserved, so 256Mi less are free, and the pod that runs keeps its eighth."""
    size = eighth(prove())
    config = prove.configuration(prove.machine)
    if not config.reserved_memory:
        prove.needs("reservedMemory")
    seen = prove(
        admit(guaranteed("a", memory=str(size))),
        restart(state="lose", cpu_state="lose"),
        restart(state="lose", cpu_state="lose", kubelet=with_more_reserved(config, mib(256))),
    )

    assert mib(256) == free(seen, 2) - free(seen, 3)
    assert [size] == [block.size for block in seen.blocks("a")]

"""Memory of a container that one NUMA node can hold lies on that node, on machines of every shape."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, guaranteed, mib, none_policy, remove, restart, static

NONE, RESTRICTED = static(reserved="64Mi"), static(reserved="64Mi", topology="restricted")
CPU = static(reserved="64Mi", cpu="static")
WITHOUT = none_policy()


@case("MM-PAGES-001", machines="small_two", kubelet=NONE)
def test_memory_lies_on_the_node_of_the_books(prove: Prove) -> None:
    """Two pods of more than half a node each: the first on node 0, the second on node 1."""
    seen = prove(admit(guaranteed("a", memory="256Mi")), admit(guaranteed("b", memory="256Mi")))

    assert [(0,), (1,)] == [seen.pages(name).nodes for name in "ab"]
    assert ["0", "1"] == [seen.pages(name).effective for name in "ab"]


@case("MM-PAGES-001", machines="small_three", kubelet=[NONE, RESTRICTED])
def test_node_without_cpus_holds_memory(prove: Prove) -> None:
    """Nobody runs on node 2, so no memory would ever lie there that is not bound to it."""
    sizes = {"a": "384Mi", "b": "128Mi", "c": "256Mi"}
    seen = prove(*[admit(guaranteed(name, memory=memory)) for name, memory in sizes.items()])

    assert [(0,), (1,), (2,)] == [seen.pages(name).nodes for name in sizes]


@case("MM-PAGES-001", machines="small_eight", kubelet=NONE)
def test_each_of_eight_nodes_holds_a_container(prove: Prove) -> None:
    """A pod of eight containers that fill a node each, of which 4Mi are really there."""
    rest = [container(f"c{number}", memory="128Mi") for number in range(1, 8)]
    seen = prove(admit(guaranteed("a", containers=[container("c0", memory="384Mi"), *rest])))

    assert [(node,) for node in range(8)] == [seen.pages("a", f"c{node}").nodes for node in range(8)]
    assert mib(4) <= min(sum(seen.pages("a", f"c{node}").anonymous.values()) for node in range(8))


@case("MM-PAGES-001", machines="small_two", kubelet=CPU)
def test_memory_and_cpus_of_different_nodes(prove: Prove) -> None:
    """`b` computes on node 0, where the kernel would give it memory, and has all of it on node 1."""
    seen = prove(admit(guaranteed("a", memory="256Mi")), admit(guaranteed("b", memory="256Mi", cpu="1")))

    assert ("1", (1,)) == (seen.cpus("b"), seen.pages("b").nodes)


@case("MM-PAGES-002", machines="small_two", kubelet=WITHOUT)
def test_policy_none_binds_nobody(prove: Prove) -> None:
    """The control: the kernel may use any node, and no `cpuset.mems` is written."""
    seen = prove(admit(guaranteed("a", memory="256Mi")), admit(guaranteed("b", memory="256Mi")))

    assert [("", "0-1", "0-1")] * 2 == [(p.mems, p.effective, p.allowed) for p in map(seen.pages, "ab")]


@case("MM-PAGES-006", machines="small_two", kubelet=NONE)
def test_memory_stays_when_a_better_node_is_free(prove: Prove) -> None:
    """`b` came to node 1 since `a` had node 0; that `a` goes and that the kubelet is started anew moves no page."""
    seen = prove(admit(guaranteed("a", memory="256Mi")), admit(guaranteed("b", memory="256Mi")), remove("a"), restart())

    assert [(1,)] * 3 == [seen.pages("b", after=step).nodes for step in (2, 3, 4)]


@case("MM-PAGES-006", machines="small_three", kubelet=NONE)
def test_memory_stays_when_the_kubelet_is_killed(prove: Prove) -> None:
    """And when its state is lost: a running container is never bound anew, on whatever node its books have it now."""
    pods = [admit(guaranteed("a", memory="384Mi")), admit(guaranteed("b", memory="256Mi"))]
    seen = prove(*pods, remove("a"), restart(signal="KILL", state="lose"))

    assert [block(0, memory="256Mi")] == seen.blocks("b")
    assert ((2,), "2") == (seen.pages("b").nodes, seen.pages("b").effective)

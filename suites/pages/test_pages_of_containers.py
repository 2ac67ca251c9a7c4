"""Memory of groups, huge pages, init containers, sidecars, and of containers that come again."""

from __future__ import annotations

from pinproof.suite import Prove, admit, burstable, case, container, exits, guaranteed, mib, sidecar, static

NONE = static(reserved="64Mi")


@case("MM-PAGES-003", machines="small_two", kubelet=NONE)
def test_group_of_all_nodes(prove: Prove) -> None:
    """What no node can hold may lie on each node of its group."""
    seen = prove(admit(guaranteed("a", memory="640Mi")))

    assert ("0-1", "0-1") == (seen.pages("a").effective, seen.pages("a").allowed)
    assert mib(16) <= sum(seen.pages("a").anonymous.values())


@case("MM-PAGES-003", machines="small_three", kubelet=NONE)
def test_group_that_leaves_a_node_out(prove: Prove) -> None:
    """A group of nodes 1 and 2, on the second of which nobody runs, while node 0 is another pod's."""
    seen = prove(admit(guaranteed("a", memory="384Mi")), admit(guaranteed("b", memory="448Mi")))

    assert ("1-2", "1-2") == (seen.pages("b").effective, seen.pages("b").allowed)
    assert {1, 2} >= set(seen.pages("b").nodes)


@case("MM-PAGES-004", machines="small_pages", kubelet=NONE)
def test_huge_pages_lie_on_the_node_of_the_books(prove: Prove) -> None:
    """All 16 pages of node 0, and then as many of node 1."""
    pages = {"2Mi": "32Mi"}
    seen = prove(*[admit(guaranteed(name, memory="64Mi", hugepages=pages)) for name in "ab"])

    assert [{0: mib(32)}, {1: mib(32)}] == [seen.pages(name).huge for name in "ab"]
    assert [(0,), (1,)] == [seen.pages(name).nodes for name in "ab"]


@case("MM-PAGES-001", machines="small_three", kubelet=NONE)
def test_init_container_and_the_one_that_takes_over_its_memory(prove: Prove) -> None:
    """Both on node 2: the app reuses what the init container was given."""
    here = admit(guaranteed("a", memory="384Mi"))
    both = guaranteed("b", containers=[container(memory="256Mi")], init=[container("i", memory="256Mi")])
    seen = prove(here, admit(both), exits("b", "i"))

    assert ((2,), (2,)) == (seen.pages("b", "i", after=2).nodes, seen.pages("b").nodes)


@case("MM-PAGES-001", machines="small_three", kubelet=NONE)
def test_sidecar_and_the_container_beside_it(prove: Prove) -> None:
    """They run at the same time, so that the app cannot have the sidecar's memory and lies on the next node."""
    both = guaranteed("a", containers=[container(memory="256Mi")], init=[sidecar("s", memory="256Mi")])
    seen = prove(admit(both))

    assert [(0,), (2,)] == [seen.pages("a", name).nodes for name in ("s", "c")]


@case("MM-PAGES-005", machines="small_three", kubelet=NONE)
def test_container_that_comes_again(prove: Prove) -> None:
    """It allocates anew, and gets memory where it was."""
    seen = prove(admit(guaranteed("a", memory="384Mi")), admit(guaranteed("b", memory="256Mi")), exits("b", "c", 1))

    assert [(2,)] * 2 == [seen.pages("b", after=step).nodes for step in (2, 3)]


@case("MM-PAGES-002", machines="small_three", kubelet=NONE)
def test_pods_without_guarantee_are_not_bound(prove: Prove) -> None:
    """Beside one that is."""
    seen = prove(admit(guaranteed("a", memory="384Mi")), admit(burstable("b", memory="64Mi")))

    assert ("0", (0,)) == (seen.pages("a").mems, seen.pages("a").nodes)
    assert ("", "0-2") == (seen.pages("b").mems, seen.pages("b").effective)

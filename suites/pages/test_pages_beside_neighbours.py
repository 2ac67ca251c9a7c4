"""Neighbours that are bound to nothing fill a NUMA node of which the books know nothing.

They compute on node 0, since all CPUs of node 1 are exclusively another pod's: so the kernel gives them memory of node 0 as long
as there is some, and then of node 1. What it takes away, and from whom, is its own rule; what Kubernetes promises is that a
Guaranteed pod has the memory it was given, and is not the one to be killed.
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, burstable, case, guaranteed, mib, restart, static

CPU = static(reserved="64Mi", cpu="static")
NEIGHBOUR = admit(burstable("b", memory="64Mi", touch="300Mi"))
OTHERS_CPUS = admit(guaranteed("o", memory="32Mi", cpu="2"))


@case("MM-PAGES-007", machines="small_two", kubelet=CPU)
def test_neighbour_that_fills_the_node_moves_no_page(prove: Prove) -> None:
    """`a` computes on node 1 and has 128Mi on node 0; `b` takes what is left there and the rest from node 1. Nobody is killed."""
    seen = prove(admit(guaranteed("a", memory="384Mi", cpu="2", touch="128Mi")), NEIGHBOUR, restart())

    assert (0, 1) == seen.pages("b").nodes
    assert [(0,)] * 3 == [seen.pages("a", after=step).nodes for step in (1, 2, 3)]
    assert mib(128) <= seen.pages("a").anonymous[0] <= mib(136)
    assert () == seen.kernel().killed


@case("MM-PAGES-007", "MM-PAGES-008", machines="small_two", kubelet=CPU)
def test_pod_that_comes_to_a_full_node_gets_its_memory_there(prove: Prove) -> None:
    """Node 0 is full of `b` when `a` wants 288Mi of it: the kernel kills `b`, though node 1 has as much, and `a` has its pages.

    The name of a process is `touched` when it has touched all: `a` had not when the memory was short, and was not killed.
    """
    seen = prove(OTHERS_CPUS, NEIGHBOUR, admit(guaranteed("a", memory="384Mi", touch="288Mi")))

    assert (0, 1) == seen.pages("b", after=2).nodes
    assert ("touched (CONSTRAINT_CPUSET)",) == seen.kernel().killed
    assert (0,) == seen.pages("a").nodes
    assert mib(288) <= seen.pages("a").anonymous[0] <= mib(296)

"""B2: after a restart the hint for a pod as a whole is made from one container's block.

Symptom: under scope pod a running pod has no memory hint at its re-admission ("Memory already allocated with different numbers
than requested"), so that the other providers alone decide. Cause: the blocks of the first container are compared with the
request of the pod. Releases: with pods of one container none; with more than one all; #141070, the fix, is for pod-level
resources.
https://github.com/kubernetes/kubernetes/issues/141069
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, besteffort, block, case, container, guaranteed, remove, restart, static

RESTRICTED = static(topology="restricted", scope="pod", cpu="static")
SINGLE = static(topology="single-numa-node", scope="pod", cpu="static")
RESTRICTED_MEMORY = static(topology="restricted", scope="pod")

FILLER = admit(guaranteed("x", memory="8Gi", cpu="2"))
"""Keeps node 0 until the pod behind it is on node 1."""

GONE, COLLECT = remove("x"), admit(besteffort("other"))


@case("MM-REG-B2-001", machines="two_even", kubelet=[RESTRICTED, SINGLE, RESTRICTED_MEMORY])
def test_hint_of_two_containers(prove: Prove) -> None:
    """3Gi and 2Gi on node 1 while node 0 has room: the hint after the restart is the node that the pod has."""
    pod = guaranteed("a", containers=[container("c", memory="3Gi", cpu="2"), container("d", memory="2Gi", cpu="2")])
    seen = prove(FILLER, admit(pod), GONE, COLLECT, restart())

    assert [((1,), True)] == seen.memory_hints("a")


@case("MM-REG-B2-002", machines="two_even", kubelet=[RESTRICTED, SINGLE, RESTRICTED_MEMORY])
def test_hint_of_one_container(prove: Prove) -> None:
    """The control."""
    seen = prove(FILLER, admit(guaranteed("a", memory="5Gi", cpu="4")), GONE, COLLECT, restart())

    assert [((1,), True)] == seen.memory_hints("a")


@case("MM-RESTART-012", machines="two_even", kubelet=[RESTRICTED, SINGLE, RESTRICTED_MEMORY])
def test_two_containers_stay(prove: Prove) -> None:
    """Whatever the hint: both keep their blocks on node 1."""
    pod = guaranteed("a", containers=[container("c", memory="3Gi", cpu="2"), container("d", memory="2Gi", cpu="2")])
    seen = prove(FILLER, admit(pod), GONE, COLLECT, restart())

    assert seen.admitted("a")
    assert [[block(1, memory="3Gi")], [block(1, memory="2Gi")]] == [seen.blocks("a", name) for name in "cd"]


@case("MM-RESTART-012", machines="hugepages_even", kubelet=RESTRICTED)
def test_huge_pages_stay(prove: Prove) -> None:
    """Two containers with memory and huge pages."""
    two = [container(name, memory="1Gi", cpu="1", hugepages={"2Mi": "128Mi"}) for name in "cd"]
    seen = prove(FILLER, admit(guaranteed("a", containers=two)), GONE, COLLECT, restart())

    assert seen.admitted("a")
    assert seen.blocks("a", "c", after=2) == seen.blocks("a", "c") == seen.blocks("a", "d")

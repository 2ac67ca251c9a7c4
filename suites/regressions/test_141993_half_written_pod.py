"""B3: a state file with a pod's own block, but without its containers' and with the books from before, is taken for whole.

Symptom: the pod runs unpinned and uncharged, and a second pod gets the same memory. Cause: an admission writes the pod's
block, then the containers' blocks, then the books; the start looks at the containers' blocks only. Releases: those that have
#141077; 1.36 and 1.37 allocate the pod again at its re-admission (#140906), and so book it. With that change made to 1.37.1
both cases fail.
https://github.com/kubernetes/kubernetes/issues/141993
"""

from __future__ import annotations

from pinproof.history import Block, Table
from pinproof.reference.checkpoint import CheckpointNode, Version, encode, sealed
from pinproof.suite import Prove, admit, block, case, container, gib, guaranteed, pod_level, replaced, restart, static

GATE = {"PodLevelResourceManagers": True}
RESTRICTED_POD = static(topology="restricted", scope="pod", gates=GATE)
CONTAINERS = (container("own", memory="2Gi", cpu="1"), container("shared", cpu=None))
POD = admit(pod_level("a", *CONTAINERS, memory="6Gi", cpu="2"))

WHOLE: Block = block(0, memory="6Gi")


def half_written(version: Version) -> str:
    """The file of an unused machine, but for the block of pod `a` as a whole; its checksums are right."""
    memory = {"memory": Table(gib(10.5), gib(0.5), gib(10), 0, gib(10))}
    unused = {node: CheckpointNode(memory=memory, cells=(node,)) for node in (0, 1)}
    return encode(sealed("Static", unused, {}, version=version, pod_entries={"a.1": (WHOLE,)}))


@case("MM-REG-B3-001", machines="two_even", kubelet=RESTRICTED_POD, since="1.36")
def test_memory_is_not_given_away_twice(prove: Prove) -> None:
    """6Gi of node 0's 10Gi are the pod's, so that a second pod of 6Gi is on node 1; or the kubelet refuses the file."""
    file = half_written(2 if prove.minor == "1.36" else 3)
    seen = prove(POD, restart(state=replaced(file)), admit(guaranteed("b", memory="6Gi")))

    assert not seen.running or [block(1, memory="6Gi")] == seen.blocks("b")


@case("MM-REG-B3-001", machines="two_even", kubelet=RESTRICTED_POD, since="1.36")
def test_pod_that_is_admitted_is_booked(prove: Prove) -> None:
    """A pod that runs after the start has its memory in the books."""
    file = half_written(2 if prove.minor == "1.36" else 3)
    seen = prove(POD, restart(state=replaced(file)))

    assert not seen.running or gib(6) == seen.reserved(0)

"""A11: the set of NUMA nodes changes between two starts, and the kubelet does not start.

Symptom: sub-NUMA clustering is switched in the firmware, or nodes get other numbers, and the kubelet refuses. It is meant so: a
block on a node that is gone is refused by name, anything else by comparison.
https://github.com/kubernetes/kubernetes/issues/124066
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.suite import Prove, admit, block, case, guaranteed, restart, static

STATIC = static()
DIFFERENT = "[memorymanager] the expected machine state is different from the real one"
NO_SUCH_NODE = "the memory assignment uses the NUMA that does not exist"


@case("MM-RESTART-042", machines="four_snc2", kubelet=STATIC)
def test_clustering_is_switched_off(prove: Prove) -> None:
    """Four nodes become two: refused without pods, and back on four nodes it starts."""
    seen = prove(restart(machine="two_even", kubelet=STATIC), restart(machine="four_snc2", kubelet=STATIC))

    assert DIFFERENT in (seen.observation(1).refusal or "")
    assert seen.running


@case("MM-RESTART-042", machines="two_even", kubelet=STATIC)
def test_clustering_is_switched_on(prove: Prove) -> None:
    """Two nodes become four, under a pod that still has its node."""
    seen = prove(admit(guaranteed("a", memory="4Gi")), restart(machine="four_snc2", kubelet=STATIC))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-042", machines="two_even", kubelet=STATIC)
def test_node_with_a_pod_has_another_number(prove: Prove) -> None:
    """0 and 1 become 0 and 2: the pod on 1 is named."""
    pods = [admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi"))]
    first, second = prove.machine.nodes
    renumbered = replace(prove.machine, nodes=(first, replace(second, id=2)))
    seen = prove(*pods, restart(machine=renumbered, kubelet=STATIC))

    assert [block(1, memory="6Gi")] == seen.blocks("b", after=2)
    assert not seen.running
    assert f"container: c) {NO_SUCH_NODE}" in seen.refusal

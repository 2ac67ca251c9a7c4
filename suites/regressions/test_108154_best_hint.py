"""C6: best-effort gives memory of two nodes a hint of one, since the narrowest hint always won.

Symptom: a pod that needs memory of two nodes is sent to the one of its CPU. Cause: the narrowest merged hint was the best one.
Releases: before 1.24; from then on the width that the most demanding provider needs decides (#108154).
https://github.com/kubernetes/kubernetes/pull/108154
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, guaranteed, static

BEST_EFFORT = static(topology="best-effort", cpu="static")


@case("MM-REG-C6-001", machines="four_snc2", kubelet=BEST_EFFORT)
def test_memory_of_two_nodes_and_one_cpu(prove: Prove) -> None:
    """15Gi are on two nodes, and the CPU is of one of them."""
    seen = prove(admit(guaranteed("a", memory="15Gi", cpu="1")))

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")
    assert "1" == seen.exclusive_cpus("a")


@case("MM-REG-C6-001", machines="four_snc2", kubelet=BEST_EFFORT)
def test_the_next_pod_finds_its_two_nodes(prove: Prove) -> None:
    """A second such pod is on the two nodes that are left."""
    pods = [admit(guaranteed(name, memory="15Gi", cpu="1")) for name in "ab"]
    seen = prove(*pods)

    assert [[block((0, 1), memory="15Gi")], [block((2, 3), memory="15Gi")]] == [seen.blocks(pod) for pod in "ab"]

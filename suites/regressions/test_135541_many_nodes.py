"""F1: the more NUMA nodes, the longer an admission, twice as long with each.

Symptom: on machines with 34 nodes, most of them the memory of accelerators, the admission of a pod never ends. Cause: every set
of nodes is tried, also of those that have nothing to give. Releases: all nine; from 1.36 hints of devices are spared it.
https://github.com/kubernetes/kubernetes/issues/135541
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, besteffort, block, case, guaranteed, restart, static

BEST_EFFORT, RESTRICTED = static(topology="best-effort"), static(topology="restricted")
POD = guaranteed("a", memory="4Gi")
BUDGET = 5000
"""Milliseconds that one admission on sixteen nodes may take. A second is what one wishes; a busy machine is allowed more, and
four nodes more would take sixteen times as long."""


@case("MM-REG-F1-001", machines="sixteen", kubelet=[BEST_EFFORT, RESTRICTED], since="1.31")
def test_sixteen_nodes_are_bearable(prove: Prove) -> None:
    """65535 sets of nodes: the first admission of a process, of a pod that is new and of one that comes back."""
    new, known = (restart(), admit(POD)), (admit(POD), restart())
    for steps in (new, known):
        prove(*steps)

        assert spent(prove.gathered("metrics.prom")) <= BUDGET


@case("MM-REG-F1-001", machines="sixteen", kubelet=[BEST_EFFORT, RESTRICTED], since="1.31")
def test_sixteen_nodes_are_served(prove: Prove) -> None:
    """A pod for one node and a pod for three, as on a small machine."""
    seen = prove(admit(guaranteed("a", memory="2Gi")), admit(guaranteed("b", memory="5Gi")))

    assert ([block(0, memory="2Gi")], [block((1, 2, 3), memory="5Gi")]) == (seen.blocks("a"), seen.blocks("b"))


@case("MM-REG-F1-002", machines="grace_blackwell", kubelet=static())
def test_thirty_four_nodes_serve_what_is_not_pinned(prove: Prove) -> None:
    """A BestEffort pod asks for no hints, and is admitted on 34 nodes at once."""
    assert prove(admit(besteffort("a"))).admitted("a")


def spent(page: str) -> float:
    """Milliseconds that the process has spent on admissions."""
    name = "kubelet_topology_manager_admission_duration_ms_sum "
    (line,) = (line for line in page.splitlines() if line.startswith(name))
    return float(line.removeprefix(name))

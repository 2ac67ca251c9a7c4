"""H6: on Windows memory is bound by CPUs, and those were not the container's own.

Symptom: a container ran on CPUs that another has for itself. Cause: the CPUs of the CPU manager were joined with all CPUs of the
memory's nodes. Releases: 1.32 to 1.36 with gate `WindowsCPUAndMemoryAffinity`; 1.37 takes the CPU manager's alone. What a
Windows kubelet tells its runtime cannot be seen here; what its managers keep can.
https://github.com/kubernetes/kubernetes/pull/139684
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.topologies import machine
from pinproof.suite import Prove, admit, block, case, guaranteed, restart, static

THERE = replace(machine("two_even"), os="windows")
EVICTION = {"memory.available": "100Mi"}  # on Windows the default is another
BEST_EFFORT = static(
    topology="restricted",
    cpu="static",
    memory_manager_policy="BestEffort",
    eviction_hard=EVICTION,
    slug="best_effort_there",
)
STATIC = static(eviction_hard=EVICTION, slug="static_there")


@case("MM-WINDOWS-001", machines="two_even", kubelet=STATIC, since="1.32")
def test_static_is_refused(prove: Prove) -> None:
    """`Static` must fail on Windows."""
    assert 'policy "Static" is not available on Windows' in prove(machine=THERE).refusal


@case("MM-WINDOWS-002", machines="two_even", kubelet=BEST_EFFORT, since="1.32")
def test_memory_and_exclusive_cpus_are_of_one_node(prove: Prove) -> None:
    """Two pods with CPUs of their own, one on each node, through a restart."""
    pods = [admit(guaranteed(name, cpu="6", memory="6Gi")) for name in "ab"]
    seen = prove(*pods, restart(), machine=THERE)

    assert ([block(0, memory="6Gi")], [block(1, memory="6Gi")]) == (seen.blocks("a"), seen.blocks("b"))
    assert ("1-6", "8-13") == (seen.exclusive_cpus("a"), seen.exclusive_cpus("b"))

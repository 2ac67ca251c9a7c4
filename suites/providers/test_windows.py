"""The memory manager on Windows: policy `BestEffort`. Only a subject that can stand for Windows runs these."""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.topologies import machine
from pinproof.suite import Prove, admit, block, case, guaranteed, restart, static

EVICTION = {"memory.available": "100Mi"}  # on Windows the default is another
BEST_EFFORT = static(
    topology="restricted", memory_manager_policy="BestEffort", eviction_hard=EVICTION, slug="besteffort_policy"
)
STATIC = static(topology="restricted", eviction_hard=EVICTION, slug="static_policy")

WINDOWS = replace(machine("two_even"), os="windows")


@case("MM-WINDOWS-001", machines="two_even", kubelet=BEST_EFFORT, since="1.32")
def test_best_effort_is_refused_elsewhere(prove: Prove) -> None:
    """A kubelet on Linux does not start with it."""
    assert 'policy "BestEffort" is not available for platform "linux"' in prove().refusal


@case("MM-WINDOWS-001", machines="two_even", kubelet=STATIC, since="1.32")
def test_static_is_refused_on_windows(prove: Prove) -> None:
    """A kubelet on Windows does not start with it."""
    assert 'policy "Static" is not available on Windows' in prove(machine=WINDOWS).refusal


@case("MM-WINDOWS-002", machines="two_even", kubelet=BEST_EFFORT, since="1.32")
def test_memory_is_accounted_on_windows(prove: Prove) -> None:
    """Two pods fill a node each, and keep it through a restart."""
    big = [guaranteed(name, memory="6Gi") for name in ("a", "b")]
    seen = prove(admit(big[0]), admit(big[1]), restart(), machine=WINDOWS)

    assert ([block(0, memory="6Gi")], [block(1, memory="6Gi")]) == (seen.blocks("a"), seen.blocks("b"))
    assert "BestEffort" == seen.policy

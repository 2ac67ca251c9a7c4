"""A6: the format of the state file changes with a release or a gate, and another kubelet does not start on it.

Symptom: "checkpoint is corrupted" after a downgrade, on a node that never used the new feature. Cause: a new field of the struct
changes the checksum even where it is empty. Releases: 1.36 writes the old format as long as gate `PodLevelResourceManagers` is
off and one that no older kubelet loads when it is on; 1.37 writes a format of its own that carries the old one.
https://github.com/kubernetes/kubernetes/issues/139069
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, guaranteed, pod_level, restart, static

GATE = {"PodLevelResourceManagers": True}
OFF, ON = static(topology="restricted"), static(topology="restricted", gates=GATE)
POD_OFF, POD_ON = static(topology="restricted", scope="pod"), static(topology="restricted", scope="pod", gates=GATE)
OLDER, BEFORE = "1.35.4", "1.34.4"
PODS = [admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="6Gi"))]
GROUP = [admit(guaranteed("g", memory="15Gi")), admit(guaranteed("h", memory="1Gi"))]
CORRUPTED = "could not restore state from checkpoint: checkpoint is corrupted"


@case("MM-REG-A6-001", machines="two_even", kubelet=OFF, since="1.36")
def test_downgrade_with_single_nodes(prove: Prove) -> None:
    """Down to 1.35 and 1.34 the pods are where they were, and on the way back too."""
    seen = prove(
        *PODS, restart(kubernetes=OLDER), restart(kubernetes=BEFORE), restart(kubernetes=prove.subject.version)
    )

    for step in (3, 4, 5):
        assert seen.observation(step).running
        assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod, after=step) for pod in "ab"]


@case("MM-REG-A6-001", machines="two_even", kubelet=static(), since="1.36")
def test_downgrade_with_a_group(prove: Prove) -> None:
    """A group is restored as well."""
    seen = prove(*GROUP, restart(kubernetes=OLDER), restart(kubernetes=prove.subject.version))

    for step in (3, 4):
        assert seen.observation(step).running
        assert [block((0, 1), memory="15Gi")] == seen.blocks("g", after=step)
        assert [block((0, 1), memory="1Gi")] == seen.blocks("h", after=step)


@case("MM-REG-A6-001", machines="hugepages_even", kubelet=OFF, since="1.36")
def test_downgrade_with_huge_pages(prove: Prove) -> None:
    """So are huge pages."""
    seen = prove(admit(guaranteed("a", memory="1Gi", hugepages={"2Mi": "64Mi"})), restart(kubernetes=OLDER))

    assert seen.running
    assert [block(0, hugepages_2Mi="64Mi"), block(0, memory="1Gi")] == seen.blocks("a")


@case("MM-REG-A6-001", machines="two_even", kubelet=ON, since="1.36")
def test_gate_that_nobody_used_is_switched_off(prove: Prove) -> None:
    """Gate on, pods without pod-level resources, gate off: the same release takes its own file."""
    seen = prove(*PODS, restart(kubelet=OFF))

    assert seen.running
    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]


@case("MM-REG-A6-001", machines="two_even", kubelet=OFF, since="1.36")
def test_gate_is_switched_on(prove: Prove) -> None:
    """The other way round."""
    seen = prove(*PODS, restart(kubelet=ON))

    assert seen.running
    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]


@case("MM-REG-A6-002", machines="two_even", kubelet=ON, since="1.36", until="1.36")
def test_downgrade_with_the_gate_on_is_refused_by_name(prove: Prove) -> None:
    """As documented: an older kubelet names a file that it cannot load, and leaves it alone."""
    seen = prove(*PODS, restart(kubernetes=OLDER, kubelet=OFF))

    assert not seen.running
    assert CORRUPTED in seen.refusal
    assert seen.at(2).state_file == seen.state_file


@case("MM-REG-A6-001", machines="two_even", kubelet=POD_ON, since="1.36")
def test_gate_is_switched_off_over_a_pod_that_used_it(prove: Prove) -> None:
    """The pod's memory may not be lost without a word: it is there, or the kubelet refuses."""
    own, shared = container("own", memory="2Gi", cpu="1"), container("shared", cpu=None)
    seen = prove(admit(pod_level("a", own, shared, memory="6Gi", cpu="2")), restart(kubelet=POD_OFF))

    assert not seen.running or [block(0, memory="2Gi")] == seen.blocks("a", "own")


@case("MM-RESTART-050", machines="two_even", kubelet=OFF, until="1.36")
def test_upgrade(prove: Prove) -> None:
    """Up to 1.37 with the gate off, and back."""
    seen = prove(*PODS, restart(kubernetes="1.37.1"), restart(kubernetes=prove.subject.version))

    for step in (3, 4):
        assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod, after=step) for pod in "ab"]

"""H4: gate `PodLevelResourceManagers` must not change what happens to pods without pod-level resources.

Symptom, feared: the whole allocation code was rewritten for it. Cause: one path serves both kinds of pods. Releases: alpha and
off in 1.36; in 1.37 it was switched on, and off again late, after several defects were found (#141209).
https://github.com/kubernetes/kubernetes/pull/134768
"""

from __future__ import annotations

from typing import Any

from pinproof.suite import (
    Configuration,
    Prove,
    admit,
    block,
    case,
    container,
    exits,
    gib,
    guaranteed,
    remove,
    restart,
    sidecar,
    static,
)


def switched(**words: Any) -> list[Configuration]:
    """The configuration with the gate off and on."""
    gates = [{"PodLevelResourceManagers": False}, {"PodLevelResourceManagers": True}]
    return [static(**words, gates=gate) for gate in gates]


@case("MM-REG-H4-001", machines="two_even", kubelet=switched(topology="restricted"), since="1.36")
def test_group_that_changed_comes_back(prove: Prove) -> None:
    """As in A2: pods on both nodes come and go, and the kubelet starts on what is left."""
    first, second = admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="13Gi"))
    seen = prove(first, remove("a"), second, restart(), restart())

    assert [True, True] == [seen.observation(step).running for step in (4, 5)]
    assert [block((0, 1), memory="13Gi")] == seen.blocks("b")


@case("MM-REG-H4-001", machines="two_even", kubelet=switched(topology="best-effort", scope="pod"), since="1.36")
def test_group_rule(prove: Prove) -> None:
    """As in C1: a pod that needs both nodes is refused beside one that has node 0."""
    seen = prove(admit(guaranteed("a", memory="6Gi")), admit(guaranteed("b", memory="12Gi")), restart())

    assert (True, False) == (seen.admitted("a"), seen.admitted("b", after=2))
    assert [block(0, memory="6Gi")] == seen.blocks("a")


@case("MM-REG-H4-001", machines="two_even", kubelet=switched(), since="1.36")
def test_init_containers_and_sidecars(prove: Prove) -> None:
    """As in B7 and D2: every container has its entry, memory is reused, and a restart changes nothing."""
    init = [container("i", memory="3Gi"), sidecar("s", memory="1Gi")]
    apps = [container("x", memory="2Gi"), container("y", memory="2Gi")]
    seen = prove(admit(guaranteed("a", containers=apps, init=init)), exits("a", "i"), restart(signal="KILL"))

    assert {"a": ["i", "s", "x", "y"]} == seen.assigned(after=1)
    assert [gib(5), gib(5)] == [seen.reserved(0, after=step) for step in (1, 2)]
    assert seen.admitted("a")


@case("MM-REG-H4-001", machines="hugepages_even", kubelet=switched(topology="single-numa-node"), since="1.36")
def test_reasons_of_refusals(prove: Prove) -> None:
    """As in C4: what cannot be aligned and what cannot be had are told apart."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="1Gi", hugepages={"1Gi": "5Gi"})))

    reasons = [verdict.reason for name in "ab" if (verdict := seen.verdict(name))]
    assert ["TopologyAffinityError", "UnexpectedAdmissionError"] == reasons

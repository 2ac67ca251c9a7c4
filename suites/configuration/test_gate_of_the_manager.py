"""Feature gate `MemoryManager`: to be switched off up to 1.31, locked to on from 1.32 (#128517), gone from 1.36 (#136381).

From 1.32 on a kubelet ends with a Go panic around its message where it does not take a gate (#128374); asked for is the message.
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.suite import (
    Configuration,
    Prove,
    admit,
    block,
    burstable,
    case,
    configured,
    gib,
    guaranteed,
    none_policy,
    restart,
    static,
)

GATE = "MemoryManager"


def gated(*, on: bool, topology: str = "restricted") -> Configuration:
    """Policy Static, with the gate named."""
    return static(
        topology=topology, cpu="static", gates={GATE: on}, slug=f"static_gate_{'on' if on else 'off'}_{topology}"
    )


OFF, ON = gated(on=False), gated(on=True)
WITH = static(topology="restricted", cpu="static")
NONE_OFF = none_policy(gates={GATE: False}, slug="none_gate_off")
WRONG_POLICY_OFF = configured(
    "wrong_policy_gate_off", memory_manager_policy="Sometimes", feature_gates=((GATE, False),)
)
PINNING = "kubelet_memory_manager_pinning_requests_total"


@case("MM-CONF-021", machines="two_even", kubelet=[OFF, gated(on=False, topology="none"), NONE_OFF], until="1.31")
def test_without_the_manager_nothing_is_pinned(prove: Prove) -> None:
    """Pods are served, whatever the policy says, and nobody is told a NUMA node for their memory; no state file is written."""
    seen = prove(admit(guaranteed("a", memory="4Gi", cpu="2")), admit(burstable("b")), restart())

    assert ("", "", "") == tuple(seen.at(step).state_file for step in (0, 2, 3))
    for step in (2, 3):
        assert (True, True) == (seen.at(step).admitted("a"), seen.at(step).admitted("b"))
        assert ("", "") == (seen.at(step).mems("a"), seen.at(step).mems("b"))


@case("MM-CONF-021", machines="two_even", kubelet=OFF, until="1.31")
def test_without_the_manager_memory_decides_nothing(prove: Prove) -> None:
    """A pod that no node has memory for alone is admitted under single-numa-node; its CPUs are aligned as before."""
    config = replace(prove.scenario().kubelet, topology_manager_policy="single-numa-node")
    seen = prove(admit(guaranteed("a", memory="15Gi", cpu="2")), kubelet=config)

    assert seen.admitted("a")
    assert ("1-2", "") == (seen.exclusive_cpus("a"), seen.mems("a"))


@case("MM-CONF-021", machines="two_even", kubelet=OFF, until="1.31")
def test_without_the_manager_nothing_is_reported(prove: Prove) -> None:
    """PodResources lists no memory, neither of pods nor as allocatable, and the pinning counters do not exist."""
    seen = prove(admit(guaranteed("a", memory="4Gi", cpu="2")))

    assert ((), ()) == (seen.pod_resources("a")["c"].memory, seen.allocatable_resources.memory)
    assert seen.series(PINNING) is None


@case("MM-CONF-021", machines="two_even", kubelet=WRONG_POLICY_OFF, until="1.31")
def test_without_the_manager_its_policy_is_not_read(prove: Prove) -> None:
    """A policy that does not exist is nobody's concern."""
    assert prove().running


@case("MM-CONF-022", machines="two_even", kubelet=WITH, until="1.31")
def test_file_waits_for_the_manager(prove: Prove) -> None:
    """Switched off over pods that are pinned, the manager leaves its file; switched on again it goes on from there."""
    off = OFF(prove.machine)
    seen = prove(
        admit(guaranteed("f", memory="8Gi", cpu="2")),
        admit(guaranteed("a", memory="4Gi", cpu="2")),
        restart(kubelet=off),
        admit(guaranteed("n", memory="1Gi", cpu="1")),
        restart(kubelet=WITH(prove.machine)),
    )

    assert seen.at(2).state_file == seen.at(3).state_file == seen.at(4).state_file
    assert "" == seen.at(4).mems("n")
    assert ([block(0, memory="8Gi")], [block(1, memory="4Gi")]) == (seen.blocks("f"), seen.blocks("a"))
    assert [block(0, memory="1Gi")] == seen.blocks("n")
    assert (gib(9), gib(4)) == (seen.reserved(0), seen.reserved(1))


@case("MM-CONF-023", machines="two_even", kubelet=[OFF, NONE_OFF], since="1.32", until="1.35")
def test_gate_is_locked(prove: Prove) -> None:
    """Switching it off is refused by name, under policy None too."""
    seen = prove()

    assert not seen.running
    assert "cannot set feature gate MemoryManager to false, feature is locked to true" in seen.refusal


@case("MM-CONF-023", machines="two_even", kubelet=ON, until="1.35")
def test_gate_may_be_named_as_it_is(prove: Prove) -> None:
    """Switched on by name it changes nothing."""
    seen = prove(admit(guaranteed("a", memory="4Gi", cpu="2")))

    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-CONF-024", machines="two_even", kubelet=[OFF, ON], since="1.36")
def test_gate_is_gone(prove: Prove) -> None:
    """A configuration that names it, even as on, is refused by name."""
    seen = prove()

    assert not seen.running
    assert "unrecognized feature gate: MemoryManager" in seen.refusal


@case("MM-CONF-024", machines="two_even", kubelet=ON, since="1.35", until="1.35")
def test_gate_that_is_named_stops_the_upgrade(prove: Prove) -> None:
    """A line that did nothing for years keeps 1.36 from starting; without it the node goes on as it was."""
    seen = prove(
        admit(guaranteed("a", memory="4Gi", cpu="2")),
        restart(kubernetes="1.36.3"),
        restart(kubelet=WITH(prove.machine)),
    )

    assert not seen.observation(2).running
    assert "unrecognized feature gate: MemoryManager" in (seen.observation(2).refusal or "")
    assert [block(0, memory="4Gi")] == seen.blocks("a")

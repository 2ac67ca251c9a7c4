"""B4: CPUs of a pod as a whole are allocated a second time after a restart.

Symptom: with one CPU reserved and a pod of two, a machine of 4 CPUs rejects the running pod ("not enough cpus available"), one
of 6 moves it from 1-2 to 3-4 and loses 1-2. Cause: as B1, in the CPU manager. Releases: 1.36 and 1.37 with gate
`PodLevelResourceManagers`; #141041, the fix, is in neither.
https://github.com/kubernetes/kubernetes/issues/140989
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.suite import Prove, admit, case, container, pod_level, restart, static

GATE = {"PodLevelResourceManagers": True}
RESTRICTED, SINGLE = (
    static(topology=policy, scope="pod", cpu="static", gates=GATE) for policy in ("restricted", "single-numa-node")
)
POD = admit(pod_level("a", container("own", memory="1Gi", cpu="2"), memory="1Gi", cpu="2"))


def with_cpus(machine: Machine, cpus: str) -> Machine:
    """The machine of one node with these CPUs."""
    (only,) = machine.nodes
    return replace(machine, nodes=(replace(only, cpus=CpuSet.parse(cpus)),))


@case("MM-REG-B4-001", machines="one", kubelet=[RESTRICTED, SINGLE], since="1.36")
def test_four_cpus(prove: Prove) -> None:
    """One is reserved, two are the pod's, one is left."""
    seen = prove(POD, restart(), machine=with_cpus(prove.machine, "0-3"))

    assert seen.admitted("a")
    assert "1-2" == seen.exclusive_cpus("a", "own")


@case("MM-REG-B4-001", machines="one", kubelet=[RESTRICTED, SINGLE], since="1.36")
def test_six_cpus(prove: Prove) -> None:
    """Three are left, so that the pod could be given two others."""
    seen = prove(POD, restart(), machine=with_cpus(prove.machine, "0-5"))

    assert seen.admitted("a")
    assert "1-2" == seen.exclusive_cpus("a", "own")

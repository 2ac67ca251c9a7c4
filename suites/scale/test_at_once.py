"""Pods whose manifests appear at once: some order, one after the other, explains what came of them.

Where not all of them fit, a release before 1.32 may give a pod several nodes that others have one by one
(kubernetes#123443), if it takes them up in an order that leads there, and refuse its own file at the next start. So these
cases are for 1.32 and newer.
"""

from __future__ import annotations

from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Step
from pinproof.suite import (
    Prove,
    Seen,
    admit,
    admit_together,
    besteffort,
    case,
    container,
    gib,
    guaranteed,
    remove,
    restart,
    static,
)

BEST_EFFORT, RESTRICTED, NONE = static(topology="best-effort"), static(topology="restricted"), static()
SINGLE, CPU = static(topology="single-numa-node"), static(topology="restricted", cpu="static")
NODES = range(4)

ROOM = [guaranteed(f"p{index}", memory="2Gi") for index in range(20)]
"""Twenty pods that fill four nodes of 10Gi exactly."""

UNEVEN = [guaranteed(f"p{index}", memory=f"{900 + 291 * index}Mi") for index in range(20)]
"""Twenty sizes that are 72Gi together, of which 40Gi have room."""

SEVERAL = [
    guaranteed(f"s{index}", containers=[container("c", memory="3Gi"), container("d", memory=f"{2 + index}Gi")])
    for index in range(8)
]


def held(seen: Seen, pods: list[Pod], *, after: int) -> list[str]:
    """The pods that were admitted and have their memory; the others have none."""
    admitted = [pod.name for pod in pods if seen.admitted(pod.name, after=after)]
    with_blocks = seen.assigned(after=after).keys() & {pod.name for pod in pods}
    assert set(admitted) <= with_blocks
    return admitted


@case("MM-SCALE-005", machines="four_snc2", kubelet=[NONE, BEST_EFFORT, RESTRICTED, SINGLE])
def test_twenty_that_fit_are_all_admitted(prove: Prove) -> None:
    """In any order twenty pods of 2Gi fill four nodes of 10Gi, five on each, and come back."""
    seen = prove(admit_together(*ROOM), restart())

    for after in (1, 2):
        assert [pod.name for pod in ROOM] == held(seen, ROOM, after=after)
        assert [5] * 4 == [seen.assignments_on(node, after=after) for node in NODES]
        assert [0] * 4 == [seen.free(node, after=after) for node in NODES]


@case("MM-SCALE-005", machines="four_snc2", kubelet=[NONE, BEST_EFFORT, RESTRICTED, SINGLE], since="1.32")
def test_twenty_of_which_some_fit(prove: Prove) -> None:
    """Who is admitted depends on the order; that nothing is given twice does not, and a restart keeps those who were."""
    seen = prove(admit_together(*UNEVEN), restart())

    admitted = held(seen, UNEVEN, after=1)
    assert 0 < len(admitted) < 20
    assert admitted == held(seen, UNEVEN, after=2)
    taken = sum(900 + 291 * int(name[1:]) for name in admitted) << 20
    assert gib(40) - taken == sum(seen.free(node) for node in NODES)


@case("MM-SCALE-005", machines="four_snc2", kubelet=CPU)
def test_twenty_with_cpus_of_their_own(prove: Prove) -> None:
    """Fifteen CPUs are free for twenty pods that want one each beside their memory."""
    pods = [guaranteed(f"p{index}", memory="1Gi", cpu="1") for index in range(20)]
    seen = prove(admit_together(*pods), restart())

    admitted = held(seen, pods, after=2)
    assert 15 == len(admitted)
    assert 15 == len({seen.exclusive_cpus(name) for name in admitted})


@case("MM-SCALE-005", machines="four_snc2", kubelet=[NONE, RESTRICTED], since="1.32")
def test_pods_of_two_containers(prove: Prove) -> None:
    """A pod that is rejected after its first container was served leaves nothing behind, whoever comes next."""
    seen = prove(admit_together(*SEVERAL), *map(remove, SEVERAL), admit(besteffort("other")), restart())

    assert 0 < len(held(seen, SEVERAL, after=1)) < 8
    assert [gib(10)] * 4 == [seen.free(node) for node in NODES]


@case("MM-SCALE-005", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.32")
def test_one_wave_after_the_other(prove: Prove) -> None:
    """Four waves of five, each gone before the next: the node takes each as it took the first."""
    waves = [[guaranteed(f"w{wave}p{index}", memory="4Gi") for index in range(5)] for wave in range(4)]
    steps: list[Step] = []
    for wave in waves:
        steps += [admit_together(*wave), *map(remove, wave)]
    seen = prove(*steps, admit(besteffort("other")))

    assert [4] * 4 == [len(held(seen, wave, after=1 + 6 * number)) for number, wave in enumerate(waves)]
    assert [gib(10)] * 2 == [seen.free(node) for node in (0, 1)]

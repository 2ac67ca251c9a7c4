"""B5: a finished init container is admitted again at a restart, on a node that its own pod fills.

Symptom: running pods are `UnexpectedAdmissionError` after a restart of the kubelet. Cause: blocks of finished init containers
leave the state when the app starts (#99640), so that a restart allocates them afresh. Releases: all.
https://github.com/kubernetes/kubernetes/issues/123971
"""

from __future__ import annotations

from dataclasses import replace

from pinproof.scenario.pod import Container, Pod
from pinproof.suite import Prove, admit, block, case, container, exits, gib, guaranteed, mib, restart, sidecar, static

NONE = static()
SINGLE, SINGLE_POD = static(topology="single-numa-node"), static(topology="single-numa-node", scope="pod")


def of(name: str, *init: str, app: str, before: tuple[Container, ...] = ()) -> Pod:
    """A pod with init containers `i0`, `i1` … of these sizes behind others, and app container `c`."""
    steps = [*before, *(container(f"i{number}", memory=amount) for number, amount in enumerate(init))]
    return guaranteed(name, memory=app, init=steps)


@case("MM-RESTART-014", machines="two_even", kubelet=[SINGLE, SINGLE_POD])
def test_two_pods_of_the_report(prove: Prove) -> None:
    """A pod on each node of 10Gi, 8Gi for its init container and 8Gi for its app; they come back in the other order."""
    pods = [step for name in "ab" for step in (admit(of(name, "8Gi", app="8Gi")), exits(name, "i0"))]
    seen = prove(*pods, restart(order=("b", "a")))

    assert [True, True] == [seen.admitted(pod) for pod in "ab"]
    assert [gib(8), gib(8)] == [seen.reserved(node) for node in (0, 1)]


@case("MM-RESTART-014", machines="one", kubelet=NONE)
def test_init_container_is_larger(prove: Prove) -> None:
    """9Gi and then 6Gi, alone on 10Gi."""
    seen = prove(admit(of("a", "9Gi", app="6Gi")), exits("a", "i0"), restart())

    assert seen.admitted("a")


@case("MM-RESTART-014", machines="one", kubelet=NONE)
def test_one_of_two_init_containers(prove: Prove) -> None:
    """1Gi would fit again, 6Gi would not."""
    seen = prove(admit(of("a", "1Gi", "6Gi", app="6Gi")), exits("a", "i0"), exits("a", "i1"), restart())

    assert seen.admitted("a")


@case("MM-RESTART-014", machines="one", kubelet=NONE)
def test_behind_a_sidecar(prove: Prove) -> None:
    """A sidecar of 1Gi runs on, an init container of 5Gi is over, the app has 5Gi."""
    seen = prove(admit(of("a", "5Gi", app="5Gi", before=(sidecar("s", memory="1Gi"),))), exits("a", "i0"), restart())

    assert seen.admitted("a")


@case("MM-RESTART-014", machines="one", kubelet=NONE)
def test_huge_pages(prove: Prove) -> None:
    """Of 1Gi of 2Mi pages the init container had as many as the app has, more than half."""
    init = container("i0", memory="1Gi", hugepages={"2Mi": "700Mi"})
    pod = guaranteed("a", memory="1Gi", hugepages={"2Mi": "700Mi"}, init=[init])
    (only,) = prove.machine.nodes
    with_pages = replace(prove.machine, nodes=(replace(only, hugepages=((mib(2), 512),)),))
    seen = prove(admit(pod), exits("a", "i0"), restart(), machine=with_pages)

    assert seen.admitted("a")


@case("MM-RESTART-013", machines="one", kubelet=[NONE, SINGLE])
def test_where_there_is_room(prove: Prove) -> None:
    """The control: 2Gi fit beside 4Gi of 10Gi."""
    seen = prove(admit(of("a", "2Gi", app="4Gi")), exits("a", "i0"), restart())

    assert seen.admitted("a")
    assert [block(0, memory="4Gi")] == seen.blocks("a")

"""D2: an app container was given the memory of a sidecar that runs beside it.

Symptom: two containers that run at the same time share memory that was promised to each. Cause: a restartable init
container was taken for one that is over when the app starts. Releases: 1.28 has it, 1.29 does not.
https://github.com/kubernetes/kubernetes/issues/119442
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, container, exits, gib, guaranteed, restart, sidecar, static

NONE, RESTRICTED = static(), static(topology="restricted")


@case("MM-INIT-002", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_sizes_of_the_report(prove: Prove) -> None:
    """Init 1, sidecar 2, app 4: the greater of 1 and 2 + 4."""
    init = [container("i", memory="1Gi"), sidecar("s", memory="2Gi")]
    seen = prove(admit(guaranteed("a", memory="4Gi", init=init)))

    assert gib(6) == seen.reserved(0)
    assert ([block(0, memory="2Gi")], [block(0, memory="4Gi")]) == (seen.blocks("a", "s"), seen.blocks("a"))


@case("MM-INIT-002", machines="two_even", kubelet=NONE)
def test_sidecar_first(prove: Prove) -> None:
    """Sidecar 2, init 3, app 1: the init container runs beside the sidecar, and the app reuses the init container's."""
    init = [sidecar("s", memory="2Gi"), container("i", memory="3Gi")]
    seen = prove(admit(guaranteed("a", memory="1Gi", init=init)), exits("a", "i"))

    assert [gib(5), gib(3)] == [seen.reserved(0, after=step) for step in (1, 2)]


@case("MM-INIT-002", machines="two_even", kubelet=NONE)
def test_sidecar_between_two_init_containers(prove: Prove) -> None:
    """Init 2, sidecar 1, init 2, app 1: the sidecar takes over from the first, the second and the app share."""
    init = [container("i1", memory="2Gi"), sidecar("s", memory="1Gi"), container("i2", memory="2Gi")]
    seen = prove(admit(guaranteed("a", memory="1Gi", init=init)), exits("a", "i1"), exits("a", "i2"))

    assert gib(2) == seen.reserved(0)
    assert ([block(0, memory="1Gi")], [block(0, memory="1Gi")]) == (seen.blocks("a", "s"), seen.blocks("a"))


@case("MM-INIT-002", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_two_sidecars(prove: Prove) -> None:
    """Sidecars 2 and 3, app 4: nobody takes over from anybody, and a restart finds the same."""
    init = [sidecar("s1", memory="2Gi"), sidecar("s2", memory="3Gi")]
    seen = prove(admit(guaranteed("a", memory="4Gi", init=init)), restart())

    assert [gib(9), gib(9)] == [seen.reserved(0, after=step) for step in (1, 2)]
    assert {"a": ["c", "s1", "s2"]} == seen.assigned()

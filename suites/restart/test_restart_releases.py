"""A kubelet of another release on the state of this one."""

from __future__ import annotations

from pinproof.suite import Prove, admit, block, case, gib, guaranteed, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")

LATER = "1.36.3"
"""The release that a run tests by default, so that it is likely to be built already."""


@case("MM-RESTART-050", machines="two_even", kubelet=[NONE, RESTRICTED], until="1.35")
def test_upgrade_keeps_pods_and_books(prove: Prove) -> None:
    """A later kubelet takes over file and pods as if it had been restarted only."""
    seen = prove(
        admit(guaranteed("a", memory="6Gi")),
        admit(guaranteed("b", memory="6Gi")),
        restart(kubernetes=LATER, order=("b", "a")),
        admit(guaranteed("c", memory="4Gi")),
    )

    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]
    assert [block(0, memory="4Gi")] == seen.blocks("c")


@case("MM-RESTART-050", machines="two_even", kubelet=NONE, until="1.35")
def test_upgrade_and_back(prove: Prove) -> None:
    """What the later kubelet has written the earlier one can read: a group survives the upgrade and the way back."""
    seen = prove(
        admit(guaranteed("a", memory="15Gi")),
        restart(kubernetes=LATER),
        admit(guaranteed("b", memory="1Gi")),
        restart(kubernetes=prove.subject.version),
    )

    assert [block((0, 1), memory="15Gi")] == seen.blocks("a")
    assert [block((0, 1), memory="1Gi")] == seen.blocks("b")
    assert gib(16) == seen.reserved(0) + seen.reserved(1)

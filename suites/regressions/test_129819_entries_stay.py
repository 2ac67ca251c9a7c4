"""G4: the state file names a pod that is gone.

Symptom: the file lists a deleted pod for hours, and looks as if memory had leaked. Cause: by design, records are cleared at
the next admission. All releases. PodResources does not show the pod from the first moment, and a suite that waits for the
file waits for ever.
https://github.com/kubernetes/kubernetes/issues/129819
"""

from __future__ import annotations

from pinproof.suite import Prove, admit, besteffort, case, gib, guaranteed, remove, restart, static

NONE, RESTRICTED = static(), static(topology="restricted")
GONE = (admit(guaranteed("a", memory="4Gi")), remove("a"))


@case("MM-REG-G4-001", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_entry_goes_with_the_next_admission(prove: Prove) -> None:
    """Any pod will do, also one that has no memory of its own."""
    seen = prove(*GONE, admit(besteffort("any")))

    assert [{"a": ["c"]}, {}] == [seen.assigned(after=step) for step in (2, 3)]
    assert [gib(4), 0] == [seen.reserved(0, after=step) for step in (2, 3)]


@case("MM-PODRES-010", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_list_is_clean_at_once(prove: Prove) -> None:
    """Before anything else happens."""
    seen = prove(*GONE)

    assert ({}, {"a": ["c"]}) == (seen.pod_resources("a"), seen.assigned())


@case("MM-REG-G4-001", machines="two_even", kubelet=NONE)
def test_entry_outlives_a_restart_and_goes_with_the_next_admission(prove: Prove) -> None:
    """The restarted kubelet does not know the pod, and its memory is still in the books until another pod comes."""
    seen = prove(*GONE, restart(), admit(guaranteed("b", memory="10Gi")))

    assert [gib(4), gib(10)] == [seen.reserved(0, after=step) for step in (3, 4)]
    assert {"b": ["c"]} == seen.assigned()

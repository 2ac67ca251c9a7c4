"""The kubelet's log about admissions: why a pod was refused, what its hints were, and that a restored pod is known."""

from __future__ import annotations

from pinproof.suite import Prove, admit, case, guaranteed, restart, static

NONE, RESTRICTED, SINGLE = static(), static(topology="restricted"), static(topology="single-numa-node")
NO_DEFAULT = "[memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available"
LARGE = admit(guaranteed("a", memory="21Gi"))


@case("MM-LOG-001", machines="two_even", kubelet=NONE)
def test_failed_allocation_is_an_error_of_the_memory_manager(prove: Prove) -> None:
    """One error, with the reason as it is told to the pod."""
    prove(LARGE)

    errors = [line for line in prove.words().errors() if line.message == "Allocate error"]
    assert [("memory_manager.go", NO_DEFAULT)] == [(line.source, line.fields["err"]) for line in errors[-1:]]


@case("MM-LOG-001", machines="two_even", kubelet=NONE, since="1.33")
def test_failed_allocation_names_pod_and_container(prove: Prove) -> None:
    """On a node of a hundred pods an error without them helps nobody."""
    prove(LARGE)

    errors = [line for line in prove.words().about("a") if line.level == "E"]
    assert [("Allocate error", "c")] == [(line.message, line.fields["containerName"]) for line in errors]


@case("MM-LOG-002", machines="two_even", kubelet=[NONE, SINGLE], since="1.31")
def test_every_refusal_is_logged_with_reason_and_message(prove: Prove) -> None:
    """Whoever refused, the kubelet says once which pod it denied and why."""
    seen = prove(admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="21Gi")))

    for name in [pod for pod in "ab" if seen.rejected(pod)]:
        verdict = seen.verdict(name)
        denied = [line.fields for line in prove.words().about(name) if line.message == "Pod admission denied"]
        assert verdict is not None
        assert [verdict.reason] == [fields["reason"] for fields in denied]
        assert verdict.message == f"Pod was rejected: {denied[0]['message']}"
    assert seen.rejected("b")


@case("MM-LOG-003", machines="two_even", kubelet=[RESTRICTED, SINGLE])
def test_hints_and_what_was_made_of_them_are_logged(prove: Prove) -> None:
    """Both nodes, the lower one preferred as well as the other, and node 0 as the best: masks 1, 2 and 3."""
    prove(admit(guaranteed("a", memory="4Gi")))

    lines = prove.words().about("a")
    hints = [line.fields["hints"] for line in lines if line.message == "TopologyHints"]
    best = [line.fields["bestHint"] for line in lines if line.message == "Best TopologyHint"]
    assert any(all(f'"NUMANodeAffinity":{mask}' in text for mask in (1, 2, 3)) for text in hints)
    assert ['{"NUMANodeAffinity":1,"Preferred":true}'] == best


@case("MM-LOG-004", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_restored_pod_is_known(prove: Prove) -> None:
    """After a restart the log says that its memory was there already, and of no allocation."""
    prove(admit(guaranteed("a", memory="4Gi")), restart())

    messages = [line.message for line in prove.words().about("a")]
    assert 1 == messages.count("Container already present in state, skipping")
    assert not [message for message in messages if message == "Got topology affinity"]

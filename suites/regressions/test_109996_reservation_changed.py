"""A5: the reservation is changed between two starts, and the kubelet does not start.

Symptom: "the expected machine state is different from the real one" after `reservedMemory` was edited, pods or no pods. It is
meant so: what is reserved on each node, and so what is allocatable, is in the state file and compared. How the same amounts
are written does not matter.
https://github.com/kubernetes/kubernetes/issues/109996
"""

from __future__ import annotations

from pinproof.suite import Configuration, Prove, admit, block, case, configured, guaranteed, restart, static

DIFFERENT = "[memorymanager] the expected machine state is different from the real one"
POD = admit(guaranteed("a", memory="4Gi"))


def reserving(slug: str, *entries: tuple[int, str], kube: str = "1948Mi") -> Configuration:
    """These entries of `reservedMemory`, as they are written; with the eviction threshold `kube` makes 2Gi."""
    reserved = [(node, {"memory": amount}) for node, amount in entries]
    return configured(slug, memory_manager_policy="Static", reserved_memory=reserved, kube_reserved={"memory": kube})


EVEN = reserving("even", (0, "1Gi"), (1, "1Gi"))


@case("MM-RESTART-043", machines="two_even", kubelet=EVEN)
def test_same_sum_on_another_node(prove: Prove) -> None:
    """0:1Gi,1:1Gi becomes 0:2Gi; no pod is there."""
    seen = prove(restart(kubelet=reserving("left", (0, "2Gi"))))

    assert not seen.running
    assert DIFFERENT in seen.refusal


@case("MM-RESTART-043", machines="two_even", kubelet=EVEN)
def test_more_is_reserved(prove: Prove) -> None:
    """0:1Gi,1:1Gi becomes 0:2Gi,1:1Gi with 1Gi more for the kubelet; and back is fine."""
    seen = prove(POD, restart(kubelet=reserving("more", (0, "2Gi"), (1, "1Gi"), kube="2972Mi")), restart(kubelet=EVEN))

    assert DIFFERENT in (seen.observation(2).refusal or "")
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-RESTART-044", machines="two_even", kubelet=EVEN)
def test_same_amounts_written_otherwise(prove: Prove) -> None:
    """Another order of the list, `1024Mi` for `1Gi`, and plain bytes."""
    seen = prove(
        POD,
        restart(kubelet=reserving("turned", (1, "1Gi"), (0, "1Gi"))),
        restart(kubelet=reserving("units", (0, "1024Mi"), (1, "1073741824"))),
    )

    assert [True, True] == [seen.observation(step).running for step in (2, 3)]
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@case("MM-RESTART-044", machines="two_even", kubelet=static(reserved="1Gi"))
def test_same_sum_for_another_purpose(prove: Prove) -> None:
    """200Mi move from the kubelet to the system: the nodes reserve what they did."""
    shifted = configured(
        "shifted",
        memory_manager_policy="Static",
        reserved_memory=[(0, {"memory": "1Gi"}), (1, {"memory": "1Gi"})],
        kube_reserved={"memory": "1748Mi"},
        system_reserved={"memory": "200Mi"},
    )
    seen = prove(POD, restart(kubelet=shifted))

    assert [block(0, memory="4Gi")] == seen.blocks("a")

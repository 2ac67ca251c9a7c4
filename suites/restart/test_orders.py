"""Restarts after every step of a scenario, with the pods in every order: with the state file kept, and with it lost."""

from __future__ import annotations

from pinproof.suite import (
    Prove,
    admit,
    block,
    case,
    container,
    exits,
    guaranteed,
    permute,
    remove,
    restart,
    sidecar,
    static,
)

NONE, BEST_EFFORT = static(), static(topology="best-effort")
RESTRICTED, SINGLE = static(topology="restricted"), static(topology="single-numa-node")
POD_CPU = static(topology="restricted", scope="pod", cpu="static")

SIX = "memory 6442450944 (6Gi)"
AS_BEFORE = "as before"

THREE_PODS = [admit(guaranteed(name, memory=amount)) for name, amount in {"a": "6Gi", "b": "6Gi", "c": "3Gi"}.items()]
"""a and c on node 0, b on node 1."""

FOUR_PODS = [admit(guaranteed(n, memory=m)) for n, m in {"a": "6Gi", "b": "6Gi", "c": "4Gi", "d": "4Gi"}.items()]
"""Both nodes full: a and c on node 0, b and d on node 1."""


def rejecting(outcomes: dict[str, list[str]]) -> list[str]:
    """The orders in which a pod is rejected."""
    return sorted(order for outcome, orders in outcomes.items() if "rejected" in outcome for order in orders)


@case("MM-ORDER-001", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_kept_after_every_step(prove: Prove) -> None:
    """One order of no pod and one of one, two of two and six of three: all is as before."""
    assert {AS_BEFORE: 10} == permute(prove, *THREE_PODS, states=["kept"]).outcomes()


@case("MM-ORDER-001", machines="two_even", kubelet=[SINGLE, POD_CPU])
def test_kept_in_every_order_of_four(prove: Prove) -> None:
    """All 24 orders of four pods that fill both nodes."""
    assert {AS_BEFORE: 24} == permute(prove, *FOUR_PODS, states=["kept"], prefixes=[4]).outcomes()


@case("MM-ORDER-001", machines="two_even", kubelet=RESTRICTED)
def test_kept_in_a_sample_of_many_orders(prove: Prove) -> None:
    """Six pods in a dozen orders, in which every three come in each of their orders."""
    found = permute(prove, *(admit(guaranteed(name, memory="3Gi")) for name in "abcdef"), states=["kept"], prefixes=[6])

    assert {AS_BEFORE} == found.outcomes().keys()
    assert 8 <= found.restarts <= 20


@case("MM-ORDER-001", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_group_kept_in_every_order(prove: Prove) -> None:
    """A pod over both nodes and two that joined it."""
    pods = [admit(guaranteed(name, memory=amount)) for name, amount in {"a": "15Gi", "b": "1Gi", "c": "2Gi"}.items()]

    assert {AS_BEFORE: 6} == permute(prove, *pods, states=["kept"], prefixes=[3]).outcomes()


@case("MM-ORDER-001", machines="two_even", kubelet=[NONE, SINGLE])
def test_pods_of_several_containers_kept_in_every_order(prove: Prove) -> None:
    """Two containers on one node or on two, and a sidecar."""
    pods = [
        admit(guaranteed("a", containers=[container("c", memory="4Gi"), container("d", memory="5Gi")])),
        admit(guaranteed("b", memory="4Gi", init=[sidecar("s", memory="3Gi")])),
    ]
    assert {AS_BEFORE: 4} == permute(prove, *pods, states=["kept"]).outcomes()


@case("MM-RESTART-013", machines="two_even", kubelet=[NONE, SINGLE])
def test_kept_after_every_step_of_a_life(prove: Prove) -> None:
    """Pods come, start, and go. An init container that is over is booked again, where there is room; nobody else moves."""
    found = permute(
        prove,
        admit(guaranteed("a", memory="4Gi", init=[container("i", memory="2Gi")])),
        exits("a", "i"),
        admit(guaranteed("b", memory="6Gi")),
        remove("b"),
        admit(guaranteed("c", memory="3Gi")),
        states=["kept"],
    )
    again = "a: c memory 4294967296 (4Gi) on {{0}}, i memory 2147483648 (2Gi) on {{{}}}"

    assert [{AS_BEFORE: 1}, {AS_BEFORE: 1}] == [found.outcomes(steps=steps) for steps in (0, 1)]
    assert [{again.format(0): 1}, {again.format(0): 2}] == [found.outcomes(steps=steps) for steps in (2, 5)]
    # b fills node 0 beside a, and what it had is not given back before all pods came.
    assert [{again.format(1): 2}, {again.format(1): 1}] == [found.outcomes(steps=steps) for steps in (3, 4)]


@case("MM-ORDER-002", machines="two_even", kubelet=[NONE, RESTRICTED, SINGLE])
def test_lost_in_every_order_of_three(prove: Prove) -> None:
    """Each pod goes to the lowest node with room: a and b change places where b comes before a."""
    found = permute(prove, *THREE_PODS, states=["lost"])

    swapped = f"a: {SIX} on {{1}}; b: {SIX} on {{0}}"
    assert {AS_BEFORE: 6, swapped: 4} == found.outcomes()
    assert {AS_BEFORE: ["a b"], swapped: ["b a"]} == found.by_order("lost", steps=2)
    assert {AS_BEFORE: ["a b c", "a c b", "c a b"], swapped: ["b a c", "b c a", "c b a"]} == found.by_order(
        "lost", steps=3
    )


@case("MM-ORDER-002", machines="two_even", kubelet=SINGLE)
def test_lost_in_every_order_of_four(prove: Prove) -> None:
    """Where both small pods come first they share node 0, and the last of the large ones finds no room."""
    outcomes = permute(prove, *FOUR_PODS, states=["lost"], prefixes=[4]).by_order("lost", steps=4)

    assert 24 == sum(map(len, outcomes.values()))
    assert ["c d a b", "c d b a", "d c a b", "d c b a"] == rejecting(outcomes)
    assert ["a b c d", "a c b d", "a c d b", "c a b d", "c a d b"] == outcomes[AS_BEFORE]


@case("MM-ORDER-002", machines="two_even", kubelet=[NONE, BEST_EFFORT])
def test_lost_group_in_every_order(prove: Prove) -> None:
    """A pod that needs both nodes comes back only where it comes before the pod that needs one."""
    pods = [admit(guaranteed("big", memory="15Gi")), admit(guaranteed("small", memory="1Gi"))]
    outcomes = permute(prove, *pods, states=["lost"], prefixes=[2]).by_order("lost", steps=2)

    rejected = "big: rejected, UnexpectedAdmissionError; small: memory 1073741824 (1Gi) on {0}"
    assert {AS_BEFORE: ["big small"], rejected: ["small big"]} == outcomes


@case("MM-ORDER-006", machines="two_even", kubelet=[NONE, SINGLE])
def test_pod_that_went_meanwhile(prove: Prove) -> None:
    """A pod was deleted or has finished while the kubelet was down: the others are as before, in either order."""
    pods = [*THREE_PODS[:2], admit(guaranteed("c", memory="3Gi", restart_policy="Never"))]
    found = permute(prove, *pods, states=["kept"], changes=["deleted", "finished"], prefixes=[3])

    assert {AS_BEFORE: 6} == found.outcomes(change="deleted")
    assert {AS_BEFORE: 2} == found.outcomes(change="finished c")


@case("MM-ORDER-006", machines="two_even", kubelet=NONE)
def test_pod_that_was_replaced_meanwhile(prove: Prove) -> None:
    """A smaller pod in place of another gets what is free beside it; with the file lost both pods find room on node 0."""
    found = permute(prove, *THREE_PODS[:2], states=["kept", "lost"], changes=["changed"], prefixes=[2])

    assert {AS_BEFORE: 4} == found.outcomes("kept")
    assert {AS_BEFORE: 2} == found.outcomes("lost", change="changed b")
    assert {f"b: {SIX} on {{0}}": 2} == found.outcomes("lost", change="changed a")


@case("MM-ORDER-006", machines="two_even", kubelet=[NONE, SINGLE])
def test_pod_that_was_replaced_on_a_full_node(prove: Prove) -> None:
    """Nothing is given back before all pods came: the new one finds no room yet and is rejected, the other is as before.

    No set of nodes would do, which is no hint instead of an impossible one, so that the memory manager itself rejects it.
    """
    pods = [admit(guaranteed("a", memory="8Gi")), admit(guaranteed("b", memory="8Gi"))]
    found = permute(prove, *pods, states=["kept"], changes=["changed"], prefixes=[2])

    assert {f"{pod}-changed: rejected, UnexpectedAdmissionError": 2 for pod in "ab"} == found.outcomes()


@case("MM-ORDER-007", machines="two_even", kubelet=[NONE, SINGLE])
def test_pod_that_is_rejected_before_and_after(prove: Prove) -> None:
    """Pods that do not fit leave nothing behind: all others are as before, in every order."""
    found = permute(prove, *THREE_PODS, states=["kept"], changes=["rejected"])

    assert {AS_BEFORE: 10} == found.outcomes()


@case("MM-ORDER-007", machines="two_even", kubelet=[NONE, RESTRICTED])
def test_verdicts_on_both_sides_of_a_restart(prove: Prove) -> None:
    """What was too much before is too much after, and what fitted fits."""
    too_big = "11Gi" if prove.configuration is RESTRICTED else "25Gi"
    seen = prove(
        *THREE_PODS[:2],
        admit(guaranteed("x", memory="25Gi")),
        restart(order=("b", "a")),
        admit(guaranteed("y", memory=too_big)),
        admit(guaranteed("c", memory="4Gi")),
    )

    assert [True, True] == [seen.rejected("x", after=3), seen.rejected("y")]
    assert [[block(0, memory="6Gi")], [block(1, memory="6Gi")]] == [seen.blocks(pod) for pod in "ab"]
    assert [block(0, memory="4Gi")] == seen.blocks("c")

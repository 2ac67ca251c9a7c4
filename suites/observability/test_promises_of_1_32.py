"""What the announcement of the Memory Manager's general availability (Kubernetes 1.32) promised, sentence by sentence.

Every case quotes the sentence that it holds the release to. Other suites go deeper into each.
"""

from __future__ import annotations

from pinproof.suite import Prove, Seen, admit, besteffort, block, burstable, case, guaranteed, remove, restart, static

NONE, RESTRICTED, SINGLE = static(), static(topology="restricted"), static(topology="single-numa-node")
BEST_EFFORT = static(topology="best-effort")
REQUESTS, ERRORS = "memory_manager_pinning_requests_total", "memory_manager_pinning_errors_total"


def pinning(seen: Seen, after: int = -1) -> tuple[int, int]:
    """Requests and errors."""
    return seen.counter(REQUESTS, after=after), seen.counter(ERRORS, after=after)


@case("MM-GA-001", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.32")
def test_requests_track_pods_that_require_pinning(prove: Prove) -> None:
    """Promised: "tracks the number of times the pod spec required the memory manager to pin memory pages"."""
    seen = prove(admit(guaranteed("a", memory="1Gi")), admit(burstable("b")), admit(besteffort("c")))

    assert [(1, 0), (1, 0), (1, 0)] == [pinning(seen, step) for step in (1, 2, 3)]


@case("MM-GA-001", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.32")
def test_errors_track_pinning_that_failed(prove: Prove) -> None:
    """Promised: "… required the memory manager to pin memory pages, but the allocation failed"."""
    seen = prove(admit(guaranteed("a", memory="21Gi")), admit(guaranteed("b", memory="1Gi")))

    assert [(1, 1), (2, 1)] == [pinning(seen, step) for step in (1, 2)]


@case("MM-GA-002", machines="two_even", kubelet=NONE, since="1.32")
def test_metrics_page_explains_the_new_metrics(prove: Prove) -> None:
    """Promised: "new metrics have been added": both are on the page as counters, with a text, before any pod comes."""
    prove()
    page = prove.gathered("metrics.prom")

    for name, text in ((REQUESTS, "required pinning."), (ERRORS, "required pinning that failed.")):
        described = [line for line in page.splitlines() if line.startswith(f"# HELP kubelet_{name} ")]
        assert [True] == [line.endswith(text) for line in described]
        assert f"# TYPE kubelet_{name} counter" in page


@case("MM-GA-003", machines="two_even", kubelet=NONE, since="1.32")
def test_log_says_why_an_allocation_failed(prove: Prove) -> None:
    """Promised: "observability improvements, such as metrics and better logging": the reason is one line away from the pod."""
    seen = prove(admit(guaranteed("a", memory="21Gi")))

    verdict = seen.verdict("a")
    told = [line.fields.get("message") for line in prove.words().about("a") if line.message == "Pod admission denied"]
    assert verdict is not None
    assert [verdict.message.removeprefix("Pod was rejected: ")] == told


@case("MM-GA-004", machines="two_even", kubelet=SINGLE, since="1.32")
def test_guaranteed_pods_have_memory_for_themselves(prove: Prove) -> None:
    """Promised: "This enables users to allocate exclusive memory for Pods in the Guaranteed QoS class"."""
    pods = [admit(guaranteed(name, memory="6Gi")) for name in "ab"]
    seen = prove(*pods, admit(burstable("c", memory="1Gi")), admit(guaranteed("d", memory="6Gi")))

    assert (["0"], ["1"], "") == ([seen.mems("a")], [seen.mems("b")], seen.mems("c"))
    assert seen.rejected("d")


@case("MM-GA-005", machines="two_even", kubelet=[NONE, RESTRICTED], since="1.32")
def test_no_order_of_pods_rejects_one_of_them(prove: Prove) -> None:
    """Promised: "does not guarantee pod ordering … this behavior could cause the memory manager to reject some pods"."""
    pods = [admit(guaranteed(name, memory=memory)) for name, memory in (("a", "9Gi"), ("b", "8Gi"), ("c", "1Gi"))]
    orders = [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a"), ("c", "a", "b")]
    seen = prove(*pods, *(restart(order=order) for order in orders))

    expected = ([block(0, memory="9Gi")], [block(1, memory="8Gi")], [block(0, memory="1Gi")])
    assert [expected] * 5 == [tuple(seen.blocks(name, after=step) for name in "abc") for step in (3, 4, 5, 6, 7)]


@case("MM-GA-006", machines="two_even", kubelet=[NONE, BEST_EFFORT], since="1.32")
def test_pods_that_came_and_went_do_not_end_the_kubelet(prove: Prove) -> None:
    """Promised: "in more extreme cases, it may cause kubelet to fail upon restart"; before 1.32 this course did (#113130)."""
    large, small = admit(guaranteed("a", memory="12Gi")), admit(guaranteed("b", memory="2Gi"))
    last = admit(guaranteed("c", memory="1Gi"))
    seen = prove(large, small, remove("b"), last, restart(), restart(signal="KILL"))

    assert [True, True] == [seen.observation(step).running for step in (5, 6)]
    assert [block((0, 1), memory="12Gi")] == seen.blocks("a")

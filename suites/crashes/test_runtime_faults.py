"""A container runtime that fails, is slow, does not answer, or has forgotten everything."""

from __future__ import annotations

import pytest

from pinproof.scenario.faults import Method
from pinproof.suite import (
    Prove,
    admit,
    block,
    calls,
    case,
    container,
    exits,
    gib,
    guaranteed,
    remove,
    restart,
    runtime_forgets,
    static,
)

STATIC = static(topology="best-effort")
POD = admit(guaranteed("a", memory="4Gi", cpu="2"))
OTHER = admit(guaranteed("x", memory="3Gi", cpu="2"))
WITH_INIT = admit(guaranteed("a", memory="2Gi", cpu="2", init=[container("i", memory="3Gi", cpu="2")]))


@pytest.mark.parametrize("method", ["CreateContainer", "StartContainer"])
@case("MM-RUNTIME-001", machines="two_even", kubelet=STATIC)
def test_call_that_fails_once(prove: Prove, method: Method) -> None:
    """The call is made again: one admission, one request for pinning, the container on its node."""
    seen = prove(OTHER, calls(method, "fails"), POD)

    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert "0" == seen.mems("a")
    assert 2 == seen.counter("topology_manager_admission_requests_total")
    assert gib(7) == seen.reserved(0)


@case("MM-RUNTIME-001", machines="two_even", kubelet=STATIC)
def test_late_answers(prove: Prove) -> None:
    """Every container of a pod is created late, which changes nothing but the time."""
    seen = prove(calls("CreateContainer", "late", times=2), WITH_INIT, exits("a", "i"))

    assert {"a": ["c"]} == seen.assigned()
    assert "0" == seen.mems("a", "c")


@pytest.mark.parametrize("method", ["RunPodSandbox", "CreateContainer", "StartContainer"])
@case("MM-RUNTIME-002", machines="two_even", kubelet=STATIC)
def test_call_that_hangs_until_a_restart(prove: Prove, method: Method) -> None:
    """The pod is admitted and has its blocks; its container starts once another kubelet asks."""
    seen = prove(calls(method, "hangs"), POD, restart())

    assert seen.admitted("a", after=2)
    assert [block(0, memory="4Gi")] == seen.blocks("a", after=2)
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert "0" == seen.mems("a")


@case("MM-RUNTIME-002", machines="two_even", kubelet=STATIC)
def test_pods_are_admitted_while_a_call_hangs(prove: Prove) -> None:
    """Another pod's admission does not wait for the runtime."""
    seen = prove(calls("RunPodSandbox", "hangs"), POD, OTHER, restart())

    assert [block(0, memory="3Gi")] == seen.blocks("x", after=3)
    assert ["0", "0"] == [seen.mems(name) for name in ("a", "x")]


@case("MM-RUNTIME-003", machines="two_even", kubelet=STATIC)
def test_runtime_that_forgets(prove: Prove) -> None:
    """Containers are made again where they were, and nothing is booked twice."""
    seen = prove(OTHER, POD, runtime_forgets(), restart())

    assert ["0", "0"] == [seen.mems(name, after=3) for name in ("x", "a")]
    assert gib(7) == seen.reserved(0, after=3)
    assert gib(7) == seen.reserved(0)


@case("MM-RUNTIME-003", machines="two_even", kubelet=STATIC)
def test_init_containers_that_run_again(prove: Prove) -> None:
    """A pod whose init container is over begins again with it, and its app container keeps its node."""
    seen = prove(WITH_INIT, exits("a", "i"), runtime_forgets(), exits("a", "i"))

    assert [block(0, memory="2Gi")] == seen.blocks("a", "c")
    assert "0" == seen.mems("a", "c")


@case("MM-RUNTIME-004", machines="two_even", kubelet=STATIC)
def test_memory_of_a_container_that_does_not_stop(prove: Prove) -> None:
    """Both nodes are taken; one pod is removed and its container goes on. There is no memory for the next pod yet."""
    filling, leaving = admit(guaranteed("x", memory="9Gi")), admit(guaranteed("a", memory="9Gi"))
    seen = prove(filling, leaving, calls("StopContainer", "hangs"), remove("a"), admit(guaranteed("b", memory="9Gi")))

    assert [block(1, memory="9Gi")] == seen.blocks("a", after=4)
    assert ["x", "a"] == [pod for pod in ("x", "a", "b") if pod in seen.assigned()]


@case("MM-RUNTIME-005", machines="two_even", kubelet=STATIC)
def test_init_container_that_runs_again_is_pinned(prove: Prove) -> None:
    """The runtime has forgotten the pod, whose init container was over: it runs again, on its pod's node."""
    seen = prove(WITH_INIT, exits("a", "i"), runtime_forgets())

    assert "0" == seen.mems("a", "i", after=1)
    assert "0" == seen.mems("a", "i")

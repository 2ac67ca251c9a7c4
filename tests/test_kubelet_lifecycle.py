"""Pod life cycle: what must follow an event, so that a run waits for the right thing."""

from __future__ import annotations

import pytest

from pinproof.scenario.pod import Container, Pod
from pinproof.subjects.kubelet.lifecycle import Consequence, LivePod

A, B = Container("a"), Container("b")
INIT, LATER = Container("init"), Container("later")
SIDECAR = Container("sidecar", restart_always=True)


def live(pod: Pod) -> LivePod:
    return LivePod(pod, "uid", "namespace", 1)


def test_nothing_runs_past_an_init_container_that_has_not_ended() -> None:
    """Sidecars before the first regular init container run, and that one; no more."""
    pod = live(Pod("p", (A,), (SIDECAR, INIT, LATER)))

    assert ("sidecar", "init") == pod.awaited()


def test_an_init_container_that_succeeds_gives_way_to_what_follows() -> None:
    """After code 0 the next regular init container is due; after the last one the app containers."""
    pod = live(Pod("p", (A, B), (INIT, SIDECAR, LATER)))

    first = pod.exits("init", 0, attempt=0)
    then = pod.awaited()
    pod.exits("later", 0, attempt=0)

    assert ("next", ("sidecar", "later")) == (first, then)
    assert ("sidecar", "a", "b") == pod.awaited()


@pytest.mark.parametrize(
    ("policy", "container", "code", "consequence"),
    [
        ("Always", "a", 0, "again"),
        ("Always", "a", 1, "again"),
        ("OnFailure", "a", 1, "again"),
        ("OnFailure", "a", 0, "ended"),
        ("Never", "a", 1, "ended"),
        ("Never", "init", 1, "over"),
        ("OnFailure", "init", 1, "again"),
        ("Never", "init", 0, "next"),
        ("Never", "sidecar", 0, "again"),
    ],
)
def test_the_restart_policy_decides(policy: str, container: str, code: int, consequence: Consequence) -> None:
    """What follows an end depends on the policy, the code, and what kind of container it was."""
    pod = live(Pod("p", (A, B), (INIT, SIDECAR), restart_policy=policy))  # type: ignore[arg-type]  # a literal, above

    assert consequence == pod.exits(container, code, attempt=0)


def test_a_container_that_comes_back_is_the_next_attempt() -> None:
    """A restarted container is waited for by its attempt, since the former one ran as well."""
    pod = live(Pod("p", (A,)))

    pod.exits("a", 1, attempt=4)

    assert {"a": 5} == pod.attempts


def test_a_pod_is_over_when_its_last_container_has_ended() -> None:
    """With restart policy Never the pod is terminal after the last app container, not before."""
    pod = live(Pod("p", (A, B), restart_policy="Never"))

    states = []
    for name in ("a", "b"):
        pod.exits(name, 0, attempt=0)
        states.append(pod.terminal)

    assert [False, True] == states

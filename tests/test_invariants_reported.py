"""I-7: reports follow the records. I-8: the same question gets the same answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from pinproof.history import Observation, PodVerdict, Resources, Told
from pinproof.judge.course import finished, recreated
from pinproof.judge.invariants import answers_of, same_answer, violations
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario
from tests.judge_values import (
    ADMISSIONS,
    ADMITTED,
    EMPTY,
    ERRORS,
    ONE_POD,
    REQUESTS,
    RIGHT,
    STATIC,
    block,
    container,
    history,
    pod,
    rejected,
    scenario,
)

RestartPolicy = Literal["Always", "OnFailure", "Never"]

TM_ERRORS = "kubelet_topology_manager_admission_errors_total"
FOUR = Pod("a", (container(), container("d")), (container("init"), container("side", sidecar=True)))


def broken(case: Scenario, *seen: Observation) -> list[str]:
    """Paths at which I-7 is broken."""
    return [found.path for _, found in violations(case, history(EMPTY, *seen)) if found.invariant == "I-7"]


def counted(requests: int, errors: int, admissions: int = 1, tm_errors: int = 0) -> dict[str, int]:
    """Counters."""
    return {REQUESTS: requests, ERRORS: errors, ADMISSIONS: admissions, TM_ERRORS: tm_errors}


ZERO = replace(EMPTY, counters=counted(0, 0, 0))


def moved(case: Scenario, now: Observation) -> list[str]:
    """Names of the counters that moved wrongly from zero in the first step."""
    found = violations(case, history(ZERO, now))
    return [violation.path.removeprefix("counters.") for _, violation in found if "counters" in violation.path]


def test_right_reports_break_nothing() -> None:
    """PodResources, the runtime and the counters agree with the records."""
    assert [] == list(violations(ADMITTED, RIGHT))


@pytest.mark.parametrize("shown", [(), (block(1),), (block(0, gib=5),), (block(0), block(0))])
def test_pod_resources_must_show_the_blocks(shown: tuple[object, ...]) -> None:
    """Nothing, another node, another size, a block twice."""
    resources = Resources(shown, "")  # type: ignore[arg-type]  # wrong on purpose

    assert ["pod_resources.a.c.memory"] == broken(ADMITTED, replace(ONE_POD, pod_resources={"a": {"c": resources}}))


def test_pod_resources_must_list_live_pods() -> None:
    """A pod with memory that is not listed at all."""
    assert ["pod_resources.a.c.memory"] == broken(ADMITTED, replace(ONE_POD, pod_resources={}))


def test_a_file_without_its_manager_says_nothing() -> None:
    """With gate `MemoryManager` off the blocks of the state file are left over, and nobody reports them."""
    off = replace(STATIC, feature_gates=(("MemoryManager", False),))
    seen = replace(ONE_POD, pod_resources={"a": {"c": Resources((), "")}}, told={"a": {"c": Told("", "")}}, counters={})
    again = scenario(Admit(pod()), Restart(kubelet=off))

    assert [] == list(violations(again, history(EMPTY, ONE_POD, seen)))
    assert [] != list(violations(scenario(Admit(pod()), Restart(kubelet=STATIC)), history(EMPTY, ONE_POD, seen)))


def test_pod_resources_must_not_show_memory_of_ended_pods() -> None:
    """A finished pod is no longer active (kubernetes#132020)."""
    case = scenario(Admit(replace(pod(), restart_policy="Never")), Exit("a", "c"))

    assert ["pod_resources.a.c.memory"] == broken(case, ONE_POD, ONE_POD)
    assert [] == broken(case, ONE_POD, replace(ONE_POD, pod_resources={"a": {"c": Resources((), "")}}))


def test_init_containers_are_not_listed_and_sidecars_may_be() -> None:
    """Sidecars are compared where the release lists them."""
    blocks = {name: (block(0),) for name in ("c", "d", "init", "side")}
    listed = {name: Resources((block(0),), "") for name in ("c", "d", "side")}
    case = scenario(Admit(FOUR))
    now = replace(ONE_POD, assignments={"a": blocks}, pod_resources={"a": listed}, counters=None)

    assert [] == broken(case, now)
    assert [] == broken(case, replace(now, pod_resources={"a": {n: listed[n] for n in ("c", "d")}}))
    assert ["pod_resources.a.side.memory"] == broken(
        case, replace(now, pod_resources={"a": listed | {"side": Resources((), "")}})
    )


@pytest.mark.parametrize("mems", ["", "1", "0-1", "0,1"])
def test_container_must_be_created_on_the_nodes_of_its_blocks(mems: str) -> None:
    """Nothing, another node, a range, too many nodes."""
    assert ["told.a.c.cpuset_mems"] == broken(ADMITTED, replace(ONE_POD, told={"a": {"c": Told(mems, "")}}))


def test_running_container_is_never_pinned_anew() -> None:
    """After a lost state file the blocks may be elsewhere; the container keeps what it was created with."""
    moved_away = replace(ONE_POD, assignments={"a": {"c": (block(1),)}}, machine=None, pod_resources=None)
    case = scenario(Admit(pod()), Restart(state="lose"))

    assert [] == broken(case, ONE_POD, moved_away)


def test_container_that_is_made_anew_gets_the_nodes_of_its_blocks() -> None:
    """Once it ends and is created again, the blocks of now count."""
    moved_away = replace(ONE_POD, assignments={"a": {"c": (block(1),)}}, machine=None, pod_resources=None)
    case = scenario(Admit(pod()), Restart(state="lose"), Exit("a", "c"))

    assert ["told.a.c.cpuset_mems"] == broken(case, ONE_POD, moved_away, moved_away)


def test_every_container_of_a_guaranteed_pod_is_a_pinning_request() -> None:
    """Four containers, init container and sidecar included, are four requests."""
    case = scenario(Admit(FOUR))
    now = replace(EMPTY, pods={"a": PodVerdict(admitted=True)})

    assert [] == moved(case, replace(now, counters=counted(4, 0)))
    assert [REQUESTS, ERRORS] == moved(case, replace(now, counters=counted(8, 1)))
    assert [ADMISSIONS, TM_ERRORS] == moved(case, replace(now, counters=counted(4, 0, admissions=2, tm_errors=1)))


def test_other_pods_are_no_pinning_requests() -> None:
    """Neither a BestEffort pod nor policy None counts."""
    besteffort = scenario(Admit(Pod("a", (Container("c"),))))
    unmanaged = scenario(Admit(pod()), kubelet=KubeletConfig())
    now = replace(EMPTY, pods={"a": PodVerdict(admitted=True)})

    for case in (besteffort, unmanaged):
        assert [] == moved(case, replace(now, counters=counted(0, 0)))
        assert [REQUESTS] == moved(case, replace(now, counters=counted(1, 0)))


def test_rejection_for_alignment_is_no_pinning_error() -> None:
    """Merge refusal: TM errors +1, pinning errors +0. Refusal in Allocate: both +1.

    A later handler may refuse as well, under the same reason as a failed allocation: that is neither.
    """
    aligned = replace(EMPTY, pods=rejected("TopologyAffinityError"))
    allocated = replace(
        EMPTY, pods=rejected("UnexpectedAdmissionError", "Allocate failed due to x, which is unexpected")
    )
    preempting = replace(EMPTY, pods=rejected("UnexpectedAdmissionError", "preemption: nobody to evict"))

    assert [] == moved(ADMITTED, replace(aligned, counters=counted(0, 0, tm_errors=1)))
    assert [ERRORS] == moved(ADMITTED, replace(aligned, counters=counted(1, 1, tm_errors=1)))
    assert [] == moved(ADMITTED, replace(allocated, counters=counted(1, 1, tm_errors=1)))
    assert [TM_ERRORS] == moved(ADMITTED, replace(allocated, counters=counted(1, 1)))
    assert [] == moved(ADMITTED, replace(preempting, counters=counted(1, 0)))


def test_counters_stand_still_without_an_admission_and_start_again_with_the_process() -> None:
    """Removal moves nothing, and nothing ever falls; a restart begins at zero."""
    now = replace(EMPTY, pods={}, counters=counted(1, 0))
    less = replace(now, counters=counted(0, 0))

    assert f"counters.{REQUESTS}" == broken(scenario(Remove("a"), Remove("b")), now, less)[-1]
    assert [] == broken(scenario(Admit(pod()), Restart()), ONE_POD, replace(ONE_POD, counters=counted(0, 0, 0)))


@pytest.mark.parametrize(
    ("policy", "exits", "expected"),
    [
        ("Always", {"c": 0, "d": 0}, False),
        ("Never", {"c": 0}, False),
        ("Never", {"c": 0, "d": 1}, True),
        ("Never", {"init": 1}, True),
        ("Never", {"side": 1}, False),
        ("OnFailure", {"c": 0, "d": 1}, False),
        ("OnFailure", {"c": 0, "d": 0}, True),
    ],
)
def test_when_a_pod_is_finished(policy: RestartPolicy, exits: dict[str, int], expected: bool) -> None:
    """A pod ends with its app containers, or with a failed init container that is not tried again."""
    assert expected == finished(replace(FOUR, restart_policy=policy), exits)


@pytest.mark.parametrize(
    ("policy", "name", "code", "expected"),
    [
        ("Always", "c", 0, True),
        ("OnFailure", "c", 0, False),
        ("OnFailure", "c", 1, True),
        ("Never", "c", 1, False),
        ("Never", "side", 0, True),
        ("Always", "init", 0, False),
        ("Always", "init", 1, True),
        ("Never", "init", 1, False),
        ("Always", "stranger", 1, False),
    ],
)
def test_when_a_container_is_made_anew(policy: RestartPolicy, name: str, code: int, expected: bool) -> None:
    """Sidecars always, init containers until they succeed, app containers as the pod says."""
    assert expected == recreated(replace(FOUR, restart_policy=policy), Exit("a", name, code))


def test_same_events_get_the_same_answer() -> None:
    """I-8 holds over many histories: the reason counts, the message does not."""
    first = [*answers_of(ADMITTED, RIGHT)]
    other = [*answers_of(ADMITTED, history(EMPTY, replace(EMPTY, pods=rejected("TopologyAffinityError"))))]

    assert [] == list(same_answer([*first, *first]))
    assert [("I-8", "pods.a")] == [(found.invariant, found.path) for found in same_answer([*first, *other])]


def test_other_events_may_get_another_answer() -> None:
    """Another order of events is another state."""
    late = scenario(Admit(pod("b")), Admit(pod()))
    refused = replace(EMPTY, pods=rejected("TopologyAffinityError"))
    answers = [*answers_of(ADMITTED, RIGHT), *answers_of(late, history(EMPTY, EMPTY, refused))]

    assert 2 == len(answers)
    assert [] == list(same_answer(answers))

"""Comparison of what was seen with what the model predicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pinproof.history import CpuState, Observation, PodVerdict, Resources, Told
from pinproof.judge.compare import ABSENT, Difference, closest, compare, coverage, missing
from pinproof.subjects.protocol import Capabilities
from tests.judge_values import (
    ADMISSIONS,
    EMPTY,
    ERRORS,
    EVERYTHING,
    GIB,
    GROUP,
    ONE_POD,
    REQUESTS,
    RIGHT,
    block,
    history,
    node,
    predicts,
)


def test_equal_histories_have_no_difference() -> None:
    """A subject that does what the model says differs nowhere."""
    assert () == compare(predicts(RIGHT), RIGHT, EVERYTHING)


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"pods": {"a": PodVerdict(admitted=False, reason="X")}}, ["pods.a"]),
        ({"pods": {}}, ["pods.a"]),
        ({"policy": "None"}, ["policy"]),
        ({"assignments": {"a": {"c": (block(1),)}}}, ["assignments.a.c"]),
        ({"assignments": {}}, ["assignments.a"]),
        (
            {"machine": {0: node(0, reserved=5, assignments=1), 1: node(1)}},
            ["machine.0.memory.free", "machine.0.memory.reserved"],
        ),
        ({"machine": {0: node(0, 1, reserved=4, assignments=1), 1: node(1)}}, ["machine.0.cells"]),
        ({"machine": {0: node(0, reserved=4, assignments=2), 1: node(1)}}, ["machine.0.number_of_assignments"]),
        ({"machine": {0: node(0, reserved=4, assignments=1)}}, ["machine.1"]),
        ({"told": {"a": {"c": Told("1", "")}}}, ["told.a.c.cpuset_mems"]),
        ({"counters": {REQUESTS: 2, ERRORS: 0, ADMISSIONS: 1}}, [f"counters.{REQUESTS}"]),
        ({"pod_resources": {"a": {"c": Resources((), "")}}}, ["pod_resources.a.c.memory"]),
        ({"cpu": CpuState("0-2", {}), "refusal": None}, ["cpu.default"]),
    ],
)
def test_every_field_is_compared(change: dict[str, Any], paths: list[str]) -> None:
    """A difference is named by the step and the innermost place."""
    predicted = history(EMPTY, replace(ONE_POD, cpu=CpuState("0-3", {})))
    observed = history(EMPTY, replace(predicted.observations[1], **change))

    differences = compare(predicts(predicted), observed, EVERYTHING)

    assert [(1, path) for path in paths] == [(found.step, found.path) for found in differences]


def test_difference_carries_both_values() -> None:
    """Expected is the model's, seen is the subject's."""
    observed = history(EMPTY, replace(ONE_POD, assignments={"a": {"c": ()}}))

    differences = compare(predicts(RIGHT), observed, EVERYTHING)

    assert (Difference(1, "assignments.a.c", (block(0),), ()),) == differences


def test_rejection_messages_are_equal_to_the_letter() -> None:
    """Reason equal, message not: that is one difference, in the message."""
    predicted = replace(EMPTY, pods={"a": PodVerdict(False, "R", "no room")})
    observed = replace(EMPTY, pods={"a": PodVerdict(False, "R", "no room ")})

    differences = compare(predicts(history(predicted)), history(observed), EVERYTHING)

    assert [found.path for found in differences] == ["pods.a.message"]


def test_unobserved_and_unclaimed_fields_are_not_compared() -> None:
    """None on either side, or outside the capabilities, is no difference, and is told."""
    wrong = replace(ONE_POD, policy="None", told=None, counters={REQUESTS: 7})
    few = Capabilities(frozenset({"pods", "told", "allocatable"}), frozenset())

    differences = compare(predicts(RIGHT), history(replace(EMPTY, told=None), wrong), few)
    compared, skipped = coverage(RIGHT, history(replace(EMPTY, told=None), wrong), few)

    assert () == differences
    assert ("running", "pods") == compared
    assert "the subject does not show it" == skipped["policy"]
    assert "the subject showed none in this scenario" == skipped["told"]
    assert "the model predicts none" == skipped["allocatable"]


def test_claimed_but_uncaptured_fields_are_missing() -> None:
    """What a running subject claims to show and did not is told by step and field."""
    observed = history(EMPTY, replace(ONE_POD, machine=None))

    assert ((1, "machine"),) == missing(RIGHT, observed, EVERYTHING)


@pytest.mark.parametrize(("said", "paths"), [("start: no such policy, sorry", []), ("another text", ["refusal"])])
def test_predicted_refusal_is_contained_in_the_kubelets_words(said: str, paths: list[str]) -> None:
    """A kubelet wraps its refusal; the predicted text must be in it."""
    predicted = history(Observation(running=False, refusal="no such policy"))
    observed = history(Observation(running=False, refusal=said))

    differences = compare(predicts(predicted), observed, EVERYTHING)

    assert [found.path for found in differences] == paths


def test_refusal_of_a_kubelet_that_should_run_is_the_only_difference_of_its_step() -> None:
    """Nothing else of an observation is compared where one side runs and the other does not."""
    observed = history(EMPTY, Observation(running=False, refusal="checkpoint is corrupted", pods={}))

    differences = compare(predicts(RIGHT), observed, EVERYTHING)

    assert (Difference(1, "running", "runs", "refuses to start: checkpoint is corrupted"),) == differences


def test_only_predicted_counters_are_compared() -> None:
    """Further counters are ignored; a predicted one that is missing is a difference."""
    observed = history(EMPTY, replace(ONE_POD, counters={REQUESTS: 1, ERRORS: 0, "other_total": 5}))

    differences = compare(predicts(RIGHT), observed, EVERYTHING)

    assert (Difference(1, f"counters.{ADMISSIONS}", 1, ABSENT),) == differences


def test_any_allowed_history_will_do() -> None:
    """Where an outcome is open, each of its forms is right."""
    other = history(EMPTY, GROUP)

    assert () == compare(predicts(RIGHT, other), RIGHT, EVERYTHING)
    assert () == compare(predicts(RIGHT, other), other, EVERYTHING)


def test_differences_are_those_against_the_closest_history() -> None:
    """The closest is the one with the longest equal prefix, whatever the order of the allowed ones."""
    near, far = history(EMPTY, ONE_POD, EMPTY), history(EMPTY, GROUP, EMPTY)
    observed = history(EMPTY, ONE_POD, GROUP)

    assert closest(predicts(near, far), observed, EVERYTHING)[0] is near
    assert closest(predicts(far, near), observed, EVERYTHING)[0] is near


def test_complete_history_of_another_length_differs() -> None:
    """A step without an observation is a difference, unless the capture ended early."""
    short = history(EMPTY)

    assert (Difference(1, "observations", 2, 1),) == compare(predicts(RIGHT), short, EVERYTHING)
    assert () == compare(predicts(RIGHT), replace(short, complete=False), EVERYTHING)


def test_presence_of_a_state_file_is_compared_and_its_text_is_not() -> None:
    """Blocks stand in the text in random order."""
    predicted = history(replace(EMPTY, state_file="{}"))

    assert () == compare(predicts(predicted), history(replace(EMPTY, state_file="other")), EVERYTHING)
    assert (Difference(0, "state_file", "a file", "no file"),) == compare(
        predicts(predicted), history(replace(EMPTY, state_file="")), EVERYTHING
    )


def test_sizes_are_compared_to_the_byte() -> None:
    """One byte is a difference."""
    observed = history(EMPTY, replace(ONE_POD, assignments={"a": {"c": (block(0)._replace(size=4 * GIB - 1),)}}))

    assert [found.path for found in compare(predicts(RIGHT), observed, EVERYTHING)] == ["assignments.a.c"]


def test_labelled_series_that_is_missing_counts_as_zero() -> None:
    """An exposition leaves out a labelled series that was never touched; 0 is equal to that, 1 is not."""
    aligned = 'kubelet_container_aligned_compute_resources_count{boundary="numa_node",scope="pod"}'
    never, once = (history(replace(EMPTY, counters={aligned: count})) for count in (0, 1))
    silent = history(replace(EMPTY, counters={}))

    assert () == compare(predicts(never), silent, EVERYTHING)
    assert (Difference(0, f"counters.{aligned}", 1, 0),) == compare(predicts(once), silent, EVERYTHING)

"""How findings look to a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import Note, PodVerdict, Told
from pinproof.judge import describe_step, judge, one_line, render
from pinproof.judge.compare import ABSENT
from pinproof.judge.words import words
from pinproof.scenario.steps import Admit, Exit, Remove, Restart, StateEdit, StateText, Step
from tests.judge_values import (
    ADMITTED,
    EMPTY,
    EVERYTHING,
    MACHINE,
    ONE_POD,
    RIGHT,
    STATIC,
    block,
    history,
    node,
    pod,
    predicts,
    scenario,
)

REASONED = history(EMPTY, replace(ONE_POD, notes=(Note("hints", "memory {0} preferred, {1} preferred"),)))
MOVED = replace(ONE_POD, told={"a": {"c": Told("1", "")}}, machine={0: node(0), 1: node(1, reserved=4, assignments=1)})


def test_finding_shows_step_field_values_reasons_and_replay() -> None:
    """Everything that one needs at 2 a.m., on one screen."""
    judgement = judge(ADMITTED, predicts(REASONED), history(EMPTY, MOVED), EVERYTHING)

    text = render(judgement, ADMITTED, file="out/failures/x/scenario.yaml", subject="kubelet:1.36.3")

    assert text.startswith("example: failed, 5 against what is required and 7 against the model\n")
    assert "\n  step 1: admit a\n" in text
    assert (
        "    model  machine.0.memory.free\n      expected 5368709120 (5Gi)\n      seen     9663676416 (9Gi)\n" in text
    )
    assert "    I-7  told.a.c.cpuset_mems\n      expected 0, the nodes of its blocks\n      seen     1\n" in text
    assert "    how the model came to what it expects:\n      hints: memory {0} preferred, {1} preferred\n" in text
    assert text.endswith("\nreplay: pinproof replay out/failures/x/scenario.yaml --subject kubelet:1.36.3\n")
    assert 1 == text.count("What the kubelet reports is what it has recorded")


def test_differences_that_follow_are_counted_not_told() -> None:
    """What differs from the model later mostly follows from the first step that differs."""
    case = scenario(Admit(pod()), Exit("a", "c"), Exit("a", "c"))
    wrong = replace(ONE_POD, policy="None")
    judgement = judge(case, predicts(history(EMPTY, *[ONE_POD] * 3)), history(EMPTY, *[wrong] * 3), EVERYTHING)

    text = render(judgement, case, file="x", subject="s")

    assert "  and 2 more in later steps, of which the first is\n" in text
    assert "    step 2: container c of a exits with code 0: policy: expected Static, seen None\n" in text


def test_pass_says_what_was_compared() -> None:
    """Green has a denominator."""
    text = render(judge(ADMITTED, predicts(RIGHT), RIGHT, EVERYTHING), ADMITTED, file="x.yaml", subject="reference")

    assert (
        "example: passed, compared: running, pods, policy, assignments, machine, told, counters, pod_resources\n"
        == text
    )


def test_unknown_says_why() -> None:
    """No verdict, and the reason."""
    lost = replace(RIGHT, complete=False, trouble="the agent died")

    text = render(judge(ADMITTED, predicts(RIGHT), lost, EVERYTHING), ADMITTED, file="x.yaml", subject="reference")

    assert text.startswith("example: unknown\n  no verdict: the agent died\n")


def test_one_line_is_one_line() -> None:
    """The compact form names requirement, step, field and both values."""
    wrong = replace(EMPTY, pods={"a": PodVerdict(False, "R", "two\nlines")})
    judgement = judge(ADMITTED, predicts(RIGHT), history(EMPTY, wrong), EVERYTHING)
    first = next(finding for finding in judgement.findings if finding.path == "pods.a")

    assert "step 1: admit a: pods.a: expected admitted, seen rejected, R: two lines" == one_line(first, ADMITTED)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Admit(pod("b")), "step 1: admit b"),
        (Remove("b"), "step 1: remove b"),
        (Exit("b", "init", 3), "step 1: container init of b exits with code 3"),
        (Restart(), "step 1: restart (state kept)"),
        (Restart(state="lose", order=("b", "a")), "step 1: restart (state lost; pods in the order b, a)"),
        (Restart(state=StateText("{}"), signal="KILL"), "step 1: restart (state replaced; killed)"),
        (
            Restart(state=StateEdit("1", "2", "recompute")),
            "step 1: restart (state edited: '1' → '2', checksum recompute)",
        ),
        (
            Restart(machine=MACHINE, kubelet=STATIC, kubernetes="1.37.1"),
            "step 1: restart (state kept; other machine; other configuration; release 1.37.1)",
        ),
    ],
)
def test_steps_are_told_by_number_and_deed(step: Step, text: str) -> None:
    """The start is no step; steps count from one."""
    assert "start of the kubelet" == describe_step(scenario(step), 0)
    assert text == describe_step(scenario(step), 1)
    assert "step 2: beyond the end of the scenario" == describe_step(scenario(step), 2)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("machine.0.memory.free", 4 << 30, "4294967296 (4Gi)"),
        ("machine.0.memory.free", (4 << 30) + 1024, "4294968320 (4194305Ki)"),
        ("machine.0.memory.free", (4 << 30) + 1, "4294967297 (about 4.00Gi)"),
        ("machine.0.number_of_assignments", 2048, "2048"),
        ("machine.0.cells", (0, 1), "{0,1}"),
        ("assignments.a.c", (block(0),), "memory 4294967296 (4Gi) on {0}"),
        ("assignments.a.c", (), "nothing"),
        ("assignments.a", {"c": (block(0, 1),)}, "c: memory 4294967296 (4Gi) on {0,1}"),
        ("pods.a", PodVerdict(admitted=True), "admitted"),
        ("told.a.c", Told("0", ""), "cpuset_mems 0, cpuset_cpus nothing"),
        ("told.a.c.cpuset_mems", "", "nothing"),
        ("pods.a", ABSENT, "absent"),
    ],
)
def test_values_are_told_in_words(path: str, value: object, text: str) -> None:
    """Sizes carry their unit beside the bytes, counts do not."""
    assert text == words(path, value)

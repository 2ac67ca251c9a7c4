"""The verdict on one history: required and modelled apart, and `unknown` where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import Note, Observation
from pinproof.judge import compare, judge
from pinproof.judge.verdict import NOTES_SHOWN
from pinproof.subjects.protocol import Capabilities
from tests.judge_values import ADMITTED, EMPTY, EVERYTHING, GROUP, ONE_POD, RIGHT, history, node, predicts

LOST = replace(ONE_POD, machine={0: node(0, reserved=3, assignments=1), 1: node(1)})
"""Books in which 1 GiB of pod `a` is missing."""


def test_right_history_passes_and_says_what_was_compared() -> None:
    """No finding; what the subject cannot show is told, once."""
    blind = Capabilities(EVERYTHING.observables - {"cpu"}, EVERYTHING.steps)

    judgement = judge(ADMITTED, predicts(RIGHT), RIGHT, blind)

    assert (judgement.outcome, judgement.findings) == ("passed", ())
    assert "machine" in judgement.compared
    assert "the subject does not show it" == judgement.not_compared["cpu"]


def test_difference_from_the_model_fails_with_the_models_reasons() -> None:
    """A modelled finding carries the notes of the step that it was seen after."""
    reasoned = replace(ONE_POD, notes=(Note("hints", "memory: {0} preferred"), Note("merge", "{0}")))

    judgement = judge(ADMITTED, predicts(history(EMPTY, reasoned)), history(EMPTY, GROUP), EVERYTHING)

    assert "failed" == judgement.outcome
    assert {finding.oracle for finding in judgement.findings} == {"modelled"}
    assert {finding.explanation for finding in judgement.findings} == {"hints: memory: {0} preferred\nmerge: {0}"}


def test_broken_requirement_fails_although_the_model_does_the_same() -> None:
    """The model is no excuse: what release X is known to do wrong is a finding, and the ledger's business."""
    same = history(EMPTY, LOST)

    judgement = judge(ADMITTED, predicts(same), same, EVERYTHING)

    assert "failed" == judgement.outcome
    assert [("required", "I-5", 1, "machine.0.memory.reserved")] == [
        (finding.oracle, finding.requirement, finding.step, finding.path) for finding in judgement.findings
    ]
    assert "no byte is lost" in judgement.findings[0].explanation


def test_both_oracles_speak_and_the_required_first() -> None:
    """A wrong history that differs from a right model is found by each."""
    judgement = judge(ADMITTED, predicts(RIGHT), history(EMPTY, LOST), EVERYTHING)

    assert ["required", "modelled", "modelled"] == [finding.oracle for finding in judgement.findings]


@pytest.mark.parametrize(
    "observed",
    [
        replace(RIGHT, complete=False, trouble="the agent died"),
        replace(history(EMPTY, LOST), complete=False, trouble="the agent died"),
        history(EMPTY, replace(ONE_POD, machine=None)),
    ],
)
def test_incomplete_history_is_unknown(observed: object) -> None:
    """Neither a pass nor a failure, whatever was found in it; it says what is missing."""
    judgement = judge(ADMITTED, predicts(RIGHT), observed, EVERYTHING)  # type: ignore[arg-type]  # a History

    assert "unknown" == judgement.outcome
    assert judgement.trouble in ("the agent died", "not captured: machine after step 1")


def test_judge_that_fails_is_unknown() -> None:
    """A bug of pinproof is no pass, no failure, and no exception in somebody's run."""
    broken = history(EMPTY, replace(ONE_POD, machine={0: None}))  # type: ignore[dict-item]  # wrong on purpose

    judgement = judge(ADMITTED, predicts(RIGHT), broken, EVERYTHING)

    assert "unknown" == judgement.outcome
    assert "bug of pinproof" in judgement.trouble


def test_subject_that_shows_nothing_but_life_is_judged_on_that() -> None:
    """Without observables only `running` is compared."""
    nothing = Capabilities(frozenset(), frozenset())
    silent = history(Observation(running=True), Observation(running=False))

    assert ["running"] == [found.path for found in compare(predicts(RIGHT), silent, nothing)]


def test_notes_are_cut() -> None:
    """Sixteen nodes have 65 535 masks; a finding shows some and says how many there are."""
    many = replace(ONE_POD, notes=tuple(Note("hints", str(n)) for n in range(NOTES_SHOWN + 5)))

    judgement = judge(ADMITTED, predicts(history(EMPTY, many)), history(EMPTY, GROUP), EVERYTHING)

    assert judgement.findings[0].explanation.endswith("… and 5 more")

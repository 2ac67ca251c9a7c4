"""Outcomes that Kubernetes leaves open: each that is seen is allowed, each that is allowed is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import Hinted, Observation, PodVerdict, Prediction
from pinproof.judge import compare, judge_outcomes, repeats
from pinproof.judge.words import words
from pinproof.scenario.steps import Admit, Restart, StateText
from tests.judge_values import ADMITTED, EMPTY, EVERYTHING, ONE_POD, RIGHT, history, pod, predicts, scenario

REFUSED = Observation(running=False, refusal="different", state_file="")
RESTARTED = scenario(Admit(pod()), Restart(state=StateText("another")))
GOOD = history(EMPTY, ONE_POD, ONE_POD)
BAD = history(EMPTY, ONE_POD, REFUSED)
EITHER = Prediction((GOOD, BAD), (0.5, 0.5))


@pytest.mark.parametrize(("chances", "runs"), [((1.0,), 1), ((0.5, 0.5), 21), ((1 / 6, 5 / 6), 80), ((1e-6, 1), 100)])
def test_the_rarest_outcome_says_how_often(chances: tuple[float, ...], runs: int) -> None:
    """All of them together are missed with less than one chance in a million."""
    assert runs == repeats(Prediction((), chances))


def test_all_allowed_outcomes_and_nothing_else_pass() -> None:
    """Whatever the order in which they were seen."""
    judgement = judge_outcomes(RESTARTED, EITHER, (BAD, GOOD), EVERYTHING, repeat=21)

    assert "passed" == judgement.outcome


def test_an_allowed_outcome_that_is_never_seen_is_a_finding() -> None:
    """The model allows too much, or the subject is less free than its release was."""
    judgement = judge_outcomes(RESTARTED, EITHER, (GOOD,), EVERYTHING, repeat=21)

    (finding,) = judgement.findings
    assert ("modelled", 2, "outcomes") == (finding.oracle, finding.step, finding.path)
    assert "also a kubelet that does not run: different" == finding.expected
    assert "never in 21 runs" in finding.seen


def test_too_few_runs_say_nothing_of_what_was_not_seen() -> None:
    """One history of a kubelet is as good as any."""
    judgement = judge_outcomes(RESTARTED, EITHER, (GOOD,), EVERYTHING, repeat=3)

    assert "passed" == judgement.outcome


def test_an_outcome_that_is_not_allowed_is_a_finding() -> None:
    """Beside one that is."""
    other = history(EMPTY, ONE_POD, replace(ONE_POD, policy="None"))

    judgement = judge_outcomes(RESTARTED, EITHER, (GOOD, other, BAD), EVERYTHING, repeat=21)

    assert ["policy"] == [finding.path for finding in judgement.findings]


def test_a_broken_off_run_has_no_verdict() -> None:
    """As with a single history."""
    broken = replace(GOOD, observations=GOOD.observations[:1], complete=False, trouble="it died")

    judgement = judge_outcomes(RESTARTED, EITHER, (broken,), EVERYTHING, repeat=21)

    assert ("unknown", "it died") == (judgement.outcome, judgement.trouble)


HINTS = (Hinted("a", "c", {"memory": {"memory": (((0,), True), ((0, 1), False))}, "other": {}}, ((0,), True)),)


def with_hints(hints: tuple[Hinted, ...] | None) -> Observation:
    return replace(ONE_POD, hints=hints)


def test_hints_are_compared_one_by_one() -> None:
    """The place names the number, who was asked about what, and the provider."""
    shows = replace(EVERYTHING, observables=EVERYTHING.observables | {"hints"})
    wrong = HINTS[0]._replace(answers={"memory": {"memory": (((0, 1), False),)}, "other": {}})

    (found,) = compare(predicts(history(EMPTY, with_hints(HINTS))), history(EMPTY, with_hints((wrong,))), shows)

    assert "hints.0.a/c.answers.memory.memory" == found.path
    assert "{0} preferred; {0,1}" == words(found.path, found.expected)


def test_hints_that_one_side_does_not_know_are_not_compared() -> None:
    """A kubelet shows none, and the reference says them only when asked."""
    shows = replace(EVERYTHING, observables=EVERYTHING.observables | {"hints"})

    found = compare(predicts(RIGHT), history(EMPTY, with_hints(HINTS)), shows)

    assert () == found


def test_a_rejection_in_one_outcome_is_told_by_the_pods() -> None:
    """So that a reader sees what was never seen."""
    rejected = history(EMPTY, ONE_POD, replace(ONE_POD, pods={"a": PodVerdict(False, "R", "M")}))

    judgement = judge_outcomes(RESTARTED, Prediction((GOOD, rejected), (0.5, 0.5)), (GOOD,), EVERYTHING, repeat=21)

    assert ["also a kubelet that runs, with pods a: rejected, R: M"] == [each.expected for each in judgement.findings]


def test_what_an_admission_leaves_open_need_not_be_seen() -> None:
    """Maps inside the process have an order that nobody but Go can choose."""
    rejected = history(EMPTY, replace(ONE_POD, pods={"a": PodVerdict(False, "R", "M")}))

    judgement = judge_outcomes(ADMITTED, Prediction((RIGHT, rejected), (0.5, 0.5)), (RIGHT,), EVERYTHING, repeat=21)

    assert "passed" == judgement.outcome

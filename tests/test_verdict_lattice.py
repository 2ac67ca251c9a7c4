"""Outcomes merge as a lattice, and no run of skips, losses or retries ends in exit code 0."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinproof.history import Outcome
from pinproof.judge.lattice import EXECUTED, ORDER, RunSummary, exit_code, exit_reason, merge

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
outcome = st.sampled_from(OUTCOMES)
some = st.lists(outcome, max_size=8)


def test_every_outcome_has_its_place() -> None:
    """The order is total over the contract's outcomes."""
    assert sorted(OUTCOMES) == sorted(ORDER)


@given(some)
def test_merge_is_total(outcomes: list[Outcome]) -> None:
    """Any number of outcomes has a merged one, which is among them unless there is none."""
    assert merge(outcomes) in (outcomes or ["not_applicable"])


@given(outcome, outcome, outcome)
def test_merge_is_associative_commutative_and_idempotent(a: Outcome, b: Outcome, c: Outcome) -> None:
    """The order and grouping of cases mean nothing."""
    assert merge([a, merge([b, c])]) == merge([merge([a, b]), c]) == merge([a, b, c])
    assert merge([a, b]) == merge([b, a])
    assert merge([a, a]) == a


@given(some)
def test_not_applicable_is_neutral(outcomes: list[Outcome]) -> None:
    """It never decides a verdict that something else could."""
    assert merge([*outcomes, "not_applicable"]) == merge(outcomes)


@given(some, outcome)
def test_merge_never_gets_better(outcomes: list[Outcome], further: Outcome) -> None:
    """One more case can only make it worse."""
    assert ORDER.index(merge([*outcomes, further])) >= ORDER.index(merge(outcomes))


@given(st.permutations(["unexpected_pass", "failed"]))
def test_failed_and_unexpected_pass_together_read_failed(outcomes: list[Outcome]) -> None:
    """They weigh the same; one name stands for both."""
    assert "failed" == merge(outcomes)


def summary(
    expected: int | None = None, *, stale: tuple[str, ...] = (), trouble: str = "", **outcomes: int
) -> RunSummary:
    """A run with these numbers of cases; unless told otherwise, as many as expected."""
    counts: dict[Outcome, int] = {name: outcomes[name] for name in OUTCOMES if name in outcomes}
    wanted = sum(counts.values()) if expected is None else expected
    return RunSummary(counts, wanted, stale_ledger=stale, subject_trouble=trouble)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (summary(passed=3), 0),
        (summary(passed=3, expected_failure=1, not_applicable=2), 0),
        (summary(passed=3, failed=1), 1),
        (summary(passed=3, error=1), 1),
        (summary(passed=3, failed=1, unknown=4, stale=("x",), trouble="lost"), 1),
        (summary(passed=3, trouble="no Go"), 12),
        (summary(expected=3, trouble="no Go"), 12),
        (summary(passed=3, unexpected_pass=1), 11),
        (summary(passed=3, unknown=1, stale=("x",)), 11),
        (summary(passed=3, unknown=1), 10),
        (summary(passed=3, not_run=1), 10),
        (summary(expected=4, passed=3), 10),
        (summary(not_applicable=3), 10),
        (summary(), 10),
    ],
)
def test_exit_codes(run: RunSummary, code: int) -> None:
    """Failed before subject, subject before ledger, ledger before incomplete; each says why."""
    assert code == exit_code(run)
    assert exit_reason(run)


@given(st.dictionaries(outcome, st.integers(0, 3)), st.integers(0, 9))
def test_nothing_but_passes_and_expected_failures_is_clean(outcomes: dict[Outcome, int], expected: int) -> None:
    """Exit code 0 needs a case that ran, and everything expected to be accounted for."""
    run = RunSummary(outcomes, expected)

    if exit_code(run) == 0:
        assert run.executed == run.count("passed", "expected_failure") > 0
        assert run.executed + run.count("not_applicable") >= expected
        assert 0 == run.count(*(EXECUTED - {"passed", "expected_failure"}), "not_run")

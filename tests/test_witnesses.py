"""Every case of the suites can fail: each does on a wrong subject, by its literal expectations. `witnesses.py` says which."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.suite_functions import functions
from tests.witnesses import MODELS, NOT_SHOWN, caught, every, table
from tests.wrong_for_cases import FOR_CASES
from tests.wrong_for_crashes import FOR_CRASHES
from tests.wrong_model import WrongModel
from tests.wrong_subject import source_of


@pytest.mark.parametrize("name", table())
def test_cases_fail_on_a_wrong_subject(name: str) -> None:
    """By an assertion of their own: nothing is compared with the right model here."""
    named = [functions()[case] for case in table()[name]]

    assert [] == sorted({case.name for case in named} - set(caught(name, named)))


def test_every_case_has_a_wrong_subject() -> None:
    """A new case needs one: `python -m tests.witnesses --write` looks among those there are."""
    shown = Counter(case for cases in table().values() for case in cases) + Counter(NOT_SHOWN.keys())

    assert [] == sorted(functions().keys() - shown.keys()), "cases that were not shown to fail"
    assert [] == sorted(shown.keys() - functions().keys()), "cases that are gone"
    assert [] == sorted(case for case, times in shown.items() if times > 1), "cases that are named twice"


def test_only_exhaustive_cases_are_left_out() -> None:
    """Others are quick enough."""
    assert all(functions()[case].case.nightly for case in NOT_SHOWN)


def test_wrong_subjects_exist_and_are_used() -> None:
    """The table names those that there are, and a model that is there for cases has one."""
    assert table().keys() <= set(every())
    assert {f"wrong:{model.name}" for model in (*FOR_CASES, *FOR_CRASHES)} <= table().keys()
    assert len(MODELS) == len({(model.module, model.find, model.replace) for model in MODELS.values()})


@pytest.mark.parametrize("model", [*FOR_CASES, *FOR_CRASHES], ids=lambda model: model.name.replace(" ", "-"))
def test_bug_is_one_place(model: WrongModel) -> None:
    """The text to find is there once, and what replaces it is something else."""
    assert 1 == source_of(model.module).count(model.find)
    assert model.find != model.replace

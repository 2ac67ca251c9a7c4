"""The suites can fail: every deliberately wrong model is caught by the case that is named for it.

A case of a suite has two oracles: its literal expectations, and the comparison of everything seen with the right reference.
Both are asked apart, so that the literal ones are known to notice by themselves: were the reference wrong in the same way,
they would be all that is left.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pinproof.running.case import Case
from pinproof.running.examine import examine
from pinproof.running.prove import Prove
from pinproof.scenario.topologies import machine
from pinproof.subjects.protocol import Subject
from pinproof.subjects.reference import ReferenceSubject
from tests.wrong_model import WrongModel
from tests.wrong_models import WRONG
from tests.wrong_subject import WrongSubject, minor_for, source_of

ROOT = Path(__file__).parent.parent
EVERY = [pytest.param(model, id=model.name.replace(" ", "-")) for model in WRONG]


@dataclass(frozen=True, slots=True)
class Noticed:
    """What each oracle of a case says on all its machines and configurations together."""

    literal: bool
    compared: bool


def noticed(case: str, subject: Subject) -> Noticed:
    """Run a case on a subject."""
    function, about = case_named(case)
    literal = compared = False
    for topology, configuration in about.parameters():
        prove = Prove(subject, machine(topology), configuration, examine)
        try:
            function(prove)
        except AssertionError:
            literal = True
        compared |= any(proof.judgement.findings for proof in prove.proofs)
    return Noticed(literal, compared)


def case_named(name: str) -> tuple[Callable[[Prove], None], Case]:
    """The test function, and what is said of it."""
    path, _, test = name.partition("::")
    function: Any = getattr(importlib.import_module("suites." + path.replace("/", ".")), test)
    (about,) = (mark.args[0] for mark in function.pytestmark if mark.name == "case")
    return function, about


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """The wrong model that the test is given."""
    _, about = case_named(request.param.case)
    with closing(WrongSubject(request.param, minor_for(about))) as made:
        yield made


@pytest.mark.parametrize("case", sorted({model.case for model in WRONG}))
def test_case_passes_on_the_right_model(case: str) -> None:
    """Otherwise its failure on a wrong one would mean nothing."""
    _, about = case_named(case)

    assert Noticed(literal=False, compared=False) == noticed(case, ReferenceSubject(minor_for(about)))


@pytest.mark.parametrize(
    ("subject", "model"), [(p.values[0], p.values[0]) for p in EVERY], indirect=["subject"], ids=[p.id for p in EVERY]
)
def test_wrong_model_is_caught(subject: Subject, model: WrongModel) -> None:
    """By both oracles of the case named for it."""
    assert Noticed(literal=True, compared=True) == noticed(model.case, subject)


@pytest.mark.parametrize("model", EVERY)
def test_bug_is_one_place(model: WrongModel) -> None:
    """The text to find is there once, and what replaces it is something else."""
    assert 1 == source_of(model.module).count(model.find)
    assert model.find != model.replace


@pytest.mark.parametrize(("name", "code"), [("wrong reason", 1), ("wrong error text", 0)])
def test_run_of_the_suites_ends_with_the_verdict(tmp_path: Path, name: str, code: int) -> None:
    """The way a user goes: exit 1 where the case is the one that notices, exit 0 where the bug is elsewhere."""
    case = "suites/admission/test_admission_fit.py::test_scope_pod_judges_the_sum_of_the_containers"
    command = [
        "-m",
        "pytest",
        case,
        "--subject",
        f"wrong:{name}",
        "-p",
        "tests.wrong_subject",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, *command, "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert code == done.returncode, done.stdout + done.stderr


def test_bugs_are_spread() -> None:
    """Every module of the model that decides anything has bugs, and no two models are the same."""
    modules = Counter(model.module for model in WRONG)

    assert len(WRONG) >= 28
    assert len(WRONG) == len({(model.module, model.find, model.replace) for model in WRONG})
    assert {
        "admission",
        "books",
        "checkpoint",
        "configuration",
        "cpu_manager",
        "masks",
        "node",
        "outcomes",
        "requests",
        "restart",
        "static_policy",
        "topology_manager",
        "view",
    } <= set(modules)

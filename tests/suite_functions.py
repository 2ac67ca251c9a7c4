"""The test functions of the suites, and whether one fails on a subject by its literal expectations alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pinproof.history import Prediction
from pinproof.judge.verdict import Judgement
from pinproof.reference.behaviour import LATEST, MINORS
from pinproof.running.case import Case
from pinproof.running.examine import Proof, abilities
from pinproof.running.prove import Prove
from pinproof.running.seen import NotObservableError
from pinproof.scenario.steps import Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.protocol import Subject

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Function:
    """One test function."""

    name: str
    """Below `suites/`: the module, `::`, the function."""

    body: Callable[..., None]
    case: Case
    values: tuple[Mapping[str, Any], ...]
    """What it is given beside `prove`, one after the other."""

    @property
    def minor(self) -> str:
        """The usual one, or the newest that the case is for."""
        return LATEST if self.case.applies(LATEST) else next(m for m in reversed(MINORS) if self.case.applies(m))

    def fails(self, subject: Subject) -> bool:
        """Whether an assertion fails, on some machine and configuration; nothing is compared with the right model."""
        with patch("pinproof.running.prove._LOGGED", 0.0):  # nobody waits for words that do not come
            return self._fails(subject)

    def _fails(self, subject: Subject) -> bool:
        for (topology, configuration), values in product(self.case.parameters(), self.values):
            prove = Prove(subject, machine(topology), configuration, _unjudged)
            try:
                self.body(prove, **values)
            except AssertionError:
                return True
            except Exception:  # noqa: BLE001, S112  # what ends otherwise shows nothing
                continue
        return False


@cache
def functions() -> Mapping[str, Function]:
    """All of them, by name."""
    return {function.name: function for function in _functions()}


def _functions() -> Iterator[Function]:
    for path in sorted((ROOT / "suites").rglob("test_*.py")):
        place = path.relative_to(ROOT / "suites").with_suffix("")
        module = importlib.import_module("suites." + ".".join(place.parts))
        for name, body in vars(module).items():
            if name.startswith("test_") and callable(body):
                marks = getattr(body, "pytestmark", ())
                (case,) = (mark.args[0] for mark in marks if mark.name == "case")
                yield Function(f"{place}::{name}", body, case, tuple(_values(marks)))


def _values(marks: Any) -> Iterator[Mapping[str, Any]]:
    """Of `pytest.mark.parametrize`, which a case has once at most."""
    given = next((mark.args for mark in marks if mark.name == "parametrize"), None)
    if given is None:
        yield {}
    else:
        yield from ({given[0]: value} for value in given[1])


def _unjudged(subject: Subject, scenario: Scenario) -> Proof:
    """Run it, and find nothing wrong."""
    missing = sorted(abilities(scenario) - subject.capabilities.steps)
    if missing:
        raise NotObservableError(f"{subject.name} cannot do {', '.join(missing)}")
    history = subject.run(scenario)
    return Proof(scenario, Prediction((history,)), history, Judgement((), ()))

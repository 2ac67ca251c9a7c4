"""A wrong model as a subject: an edited copy of the reference, imported under another name beside the right one."""

from __future__ import annotations

import importlib
import sys
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pinproof.reference
from pinproof.history import History
from pinproof.reference.behaviour import LATEST, MINORS
from pinproof.running.case import Case
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Subject
from pinproof.subjects.reference import ReferenceSubject
from pinproof.subjects.registry import open_subject
from tests.wrong_model import WrongModel
from tests.wrong_models import WRONG

RIGHT = "pinproof.reference"
SOURCES = Path(pinproof.reference.__path__[0])


def minor_for(case: Case) -> str:
    """The minor on which a case is held against wrong models: the usual one, or the newest that the case is for."""
    return LATEST if case.applies(LATEST) else next(minor for minor in reversed(MINORS) if case.applies(minor))


def source_of(module: str) -> str:
    """The right text of a module of the reference; the empty name is the package."""
    return (SOURCES / f"{module or '__init__'}.py").read_text(encoding="utf-8")


class _Edited(MetaPathFinder, InspectLoader):
    """Finds and loads one wrong model as a package."""

    def __init__(self, package: str, model: WrongModel) -> None:
        self._package = package
        self._model = model

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """Answers for the package and its modules."""
        if fullname != self._package and not fullname.startswith(f"{self._package}."):
            return None
        return spec_from_loader(fullname, self, is_package=fullname == self._package)

    def is_package(self, fullname: str) -> bool:
        """Only the reference itself is one."""
        return fullname == self._package

    def get_source(self, fullname: str) -> str:
        """The text with the bug in it, referring to its own modules."""
        module = fullname.removeprefix(self._package).removeprefix(".")
        text = source_of(module)
        if module == self._model.module:
            text = text.replace(self._model.find, self._model.replace)
        return text.replace(RIGHT, self._package)


class WrongSubject(ReferenceSubject):
    """A wrong model as a subject."""

    def __init__(self, model: WrongModel, minor: str = LATEST) -> None:
        super().__init__(minor)
        self.name = f"wrong:{model.name}"
        self._package = "wrong_model_" + model.name.replace(" ", "_").replace("-", "_")
        self._finder = _Edited(self._package, model)
        sys.meta_path.insert(0, self._finder)
        self._model: Any = importlib.import_module(f"{self._package}.model")
        self._switches = importlib.import_module(f"{self._package}.behaviour").behaviour_of(minor)

    def run(self, scenario: Scenario) -> History:
        """The first of the histories that the wrong model allows."""
        history: History = self._model.predict(scenario, self._switches, hints=True, along=()).histories[0]
        return history

    def close(self) -> None:
        """Forget the modules."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        for name in [name for name in sys.modules if name.partition(".")[0] == self._package]:
            del sys.modules[name]


def pytest_pinproof_subject(spec: str) -> Subject | None:
    """As a plug-in of a run of suites: `-p tests.wrong_subject --subject "wrong:NAME"`."""
    kind, _, name = spec.partition(":")
    return next((WrongSubject(model) for model in WRONG if kind == "wrong" and model.name == name), None)


def open_wrong(spec: str) -> Subject:
    """`wrong:NAME` or another subject; for campaigns, whose workers open it in processes of their own."""
    return pytest_pinproof_subject(spec) or open_subject(spec)

"""Small projects with suites of their own, run with pytest against subjects that misbehave in one way each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import pinproof.plugin
import pinproof.running.controller
import pinproof.running.worker
import pinproof.subjects.reference  # noqa: F401  # all of them: a run inside this process keeps only what was there
from pinproof.cli.run import wiring

CONFTEST = """
from dataclasses import replace
from pathlib import Path
import os, threading

from pinproof.errors import SubjectError
from pinproof.subjects.protocol import Capabilities
from pinproof.subjects.reference import ReferenceSubject


class Stub(ReferenceSubject):
    def __init__(self, kind, minor):
        super().__init__(minor or "1.36")
        self.kind, self.ran = kind, 0
        self.name = f"{kind}:{minor}" if minor else kind
        if kind == "blind":
            seen = self.capabilities.observables - {"told"}
            self.capabilities = Capabilities(seen, self.capabilities.steps - {"restart"})

    def run(self, scenario):
        self.ran += 1
        with Path("runs.txt").open("a") as file:
            file.write(f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')} {scenario.machine.name}\\n")
        return getattr(self, "_" + self.kind, self._right)(scenario)

    def gather(self):
        return {"kubelet.log": "I1121 log of the kubelet\\n"}

    def _right(self, scenario):
        return replace(super().run(scenario), subject=self.name)

    def _wrong(self, scenario):
        history = self._right(scenario)
        last = history.observations[-1]
        name = "kubelet_memory_manager_pinning_requests_total"
        counters = {**last.counters, name: last.counters[name] + 1}
        return replace(history, observations=(*history.observations[:-1], replace(last, counters=counters)))

    def _torn(self, scenario):
        return replace(self._right(scenario), complete=False, trouble="/metrics is garbage")

    def _dying(self, scenario):
        raise SubjectError("boot", "the kubelet has no memory", fault="the host", remedy="free some")

    def _failing_later(self, scenario):
        return self._right(scenario) if len(Path("runs.txt").read_text().splitlines()) == 1 else self._dying(scenario)

    def _crashing(self, scenario):
        if len(Path("runs.txt").read_text().splitlines()) == 2:
            os._exit(3)
        return self._right(scenario)

    def close(self):
        if self.kind == "clinging" and self.ran:
            raise SubjectError("stop", "a process does not end", fault="this machine", remedy="end it")
        if self.kind == "buggy" and self.ran:
            raise ValueError("too many values")

    def _hang(self, scenario):
        if self.ran == 2:
            Path("hangs.txt").write_text("")
            threading.Event().wait()
        return self._right(scenario)


def pytest_pinproof_subject(spec):
    kind, _, minor = spec.partition(":")
    if kind == "dead":
        raise SubjectError("build", "no compiler", fault="this machine", remedy="install one")
    return Stub(kind, minor)
"""

REGISTRY = """
apiVersion: pinproof/v1alpha1
kind: Requirements
requirements:
- {id: MM-A-001, must: A kubelet MUST do one thing., source: a KEP, level: core}
- {id: MM-A-002, must: A kubelet MUST do another., source: a KEP, level: core}
"""

HEAD = "from pinproof.suite import *\nimport pytest\n"

FITS = """
@case("MM-A-001", machines=["two_even"], kubelet=[static()])
def test_fits(prove):
    seen = prove(admit(guaranteed("a", memory="4Gi")))
    assert seen.admitted("a")
"""

TOLD = """
@case("MM-A-002", machines=["two_even"], kubelet=[static()])
def test_told(prove):
    assert prove(admit(guaranteed("a", memory="4Gi"))).mems("a") == "0"
"""


class Project:
    """A folder with a registry, a suite and the subjects above."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        pytester.makeconftest(CONFTEST)
        self.write("requirements/a.yaml", REGISTRY)
        (self.path / "ledger").mkdir()

    def write(self, name: str, text: str) -> Path:
        """Make a file."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def suite(self, *cases: str) -> Project:
        """Make a suite of these cases."""
        self.write("suites/a/test_a.py", HEAD + "".join(cases))
        return self

    def ledger(self, *entries: Mapping[str, Any]) -> Project:
        """Make a ledger of these entries; JSON is YAML."""
        document = {"apiVersion": "pinproof/v1alpha1", "kind": "Ledger", "entries": entries}
        self.write("ledger/known.yaml", json.dumps(document))
        return self

    def run(self, subject: str, *options: str, apart: bool = False) -> pytest.RunResult:
        """Run the suites; in this process where that is possible, because imports take longer than cases."""
        arguments = [*wiring(), "suites", "--subject", subject, "--ledger=ledger", "-p", "no:cacheprovider", *options]
        if apart or "-n" in options:
            return self.pytester.runpytest_subprocess(*arguments)
        return self.pytester.runpytest_inprocess(*arguments)

    def report(self) -> dict[str, Any]:
        """The JSON report."""
        document: dict[str, Any] = json.loads((self.path / "out" / "report.json").read_text(encoding="utf-8"))
        return document

    def outcomes(self) -> dict[str, str]:
        """Case without its folder → outcome."""
        return {case["id"].rpartition("::")[2]: case["outcome"] for case in self.report()["cases"]}


def entry(case: str, **more: Any) -> dict[str, Any]:
    """A ledger entry that explains the `wrong` subject."""
    return {
        "case": case,
        "subject": {"kind": "wrong", "versions": ">=1.30"},
        "link": "https://github.com/kubernetes/kubernetes/issues/1",
        "message": "pinning_requests_total",
        "added": "2026-11-21",
        "reason": "It counts one too many.",
        **more,
    }

"""The pytest side of the process that the user started: header, progress, report, verdict, exit code.

Without pytest-xdist the same process runs the cases as well; with it the cases run elsewhere, and what is known of them
arrives with their reports.
"""

from __future__ import annotations

import datetime
import platform
import shlex
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import pinproof
from pinproof.errors import InputError
from pinproof.judge.lattice import exit_reason
from pinproof.judge.verdict import Finding
from pinproof.ledger import Ledger
from pinproof.report import CaseResult, LedgerUse, ReportPaths, RunResult, Table, claim, write_report
from pinproof.running.facts import Facts
from pinproof.running.heartbeat import Heartbeat, standard_output
from pinproof.running.options import FACTS, Settings
from pinproof.running.places import case_id
from pinproof.running.selection import Selected, group_of
from pinproof.running.watch import was_ctrl_c

SHOWN = 10
"""Lines of one kind in the closing summary."""

_WORDS = {
    "expected_failure": ("xfailed", "x", "EXPECTED FAILURE"),
    "unexpected_pass": ("failed", "P", "UNEXPECTED PASS"),
    "not_applicable": ("not applicable", "-", "NOT APPLICABLE"),
    "not_run": ("not run", ".", "NOT RUN"),
    "unknown": ("failed", "?", "UNKNOWN"),
}
"""Outcome → category, letter and word of pytest's terminal; what is missing is as pytest has it."""


class Controller:
    """Gathers what the cases say and draws the conclusion."""

    def __init__(self, settings: Settings, facts: Facts, ledger: Ledger, *, command: list[str]) -> None:
        self.settings = settings
        self.facts = facts
        self.ledger = ledger
        self.command = command
        self.selected = Selected()
        self.run: RunResult | None = None
        self.paths: ReportPaths | None = None
        self._results: dict[str, CaseResult] = {}
        self._nodeids: list[str] = []
        self._trouble = ""
        self._interrupted = False
        self._began = time.time()
        self._heartbeat: Heartbeat | None = None
        self._claims = ExitStack()

    def claim(self) -> None:
        """Take the output folder; raises InputError when it cannot be written or another run has it."""
        self._claims.enter_context(claim(self.settings.out))

    # --- at the beginning

    def announce(self, session: pytest.Session) -> None:
        """Put the subject's facts where other tools look for them, and begin to tell of progress."""
        from _pytest.junitxml import xml_key  # under xdist the public fixture for this is lost

        xml = session.config.stash.get(xml_key, None)
        if xml is not None:
            for name, value in self._facts().items():
                xml.add_global_property(name, value)
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not reporter.isatty:
            self._heartbeat = Heartbeat(standard_output())
            self._heartbeat.start()

    def _facts(self) -> dict[str, str]:
        own = {"subject": self.facts.name, "kubernetes": self.facts.version, "pinproof": pinproof.__version__}
        return own | {name: value for name, value in self.facts.properties.items() if name not in own}

    def pytest_report_header(self) -> list[str]:
        """What is tested, with what."""
        facts = self._facts()
        first = (
            f"pinproof {facts.pop('pinproof')}, subject {facts.pop('subject')}, Kubernetes {facts.pop('kubernetes')}"
        )
        about = ", ".join(f"{name} {value}" for name, value in facts.items())
        lines = [first, f"out {self.settings.out}, seed {self.settings.seed}, slow {self.settings.slow:g}"]
        return [lines[0], about, lines[1]] if about else lines

    # --- with pytest-xdist

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what is known of the subject."""
        node.workerinput[FACTS] = self.facts.packed()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep the cases of one machine and configuration together, whatever `--dist` says but `each`.

        Where nodes are given no case has a kubelet of its own, so that every node may serve the next.
        """
        from pinproof.running.scheduling import MachineScheduling

        given = self.facts.kind == "cluster"
        return None if config.getoption("dist") == "each" or given else MachineScheduling(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """The workers know how many cases there are; this process does not collect."""
        self._expect(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended and says what it collected."""
        packed = getattr(node, "workeroutput", {}).get("pinproof")
        if packed:
            self._trouble = self._trouble or packed["trouble"]
            self.selected = Selected(**packed)

    # --- as it goes

    def collected(self, selected: Selected) -> None:
        """What this process collected itself."""
        self.selected = selected
        self._expect([case["nodeid"] for case in selected.cases])

    def _expect(self, nodeids: list[str]) -> None:
        self._nodeids = nodeids
        if self._heartbeat:
            self._heartbeat.total = len(nodeids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A case begins, here or on a worker."""
        if self._heartbeat:
            self._heartbeat.began(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A case has ended."""
        if self._heartbeat:
            self._heartbeat.ended(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what the case says of itself; the worst of call and clean-up counts."""
        packed = getattr(report, "pinproof", None)
        if packed is not None:
            result = _unpacked(packed)
            known = self._results.get(report.nodeid)
            if known is None or result.outcome == "error":
                self._results[report.nodeid] = result
        elif report.failed:
            message = f"the worker died: {report.longrepr}"
            self._results[report.nodeid] = CaseResult(report.nodeid, report.nodeid, (), "error", message=message)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
        """Words of pytest's terminal for outcomes that pytest does not have."""
        packed = getattr(report, "pinproof", None)
        return _WORDS.get(packed["outcome"]) if packed else None

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody pressed Ctrl-C; what was found until then is reported, the exit code stays pytest's."""
        self._interrupted |= was_ctrl_c(excinfo)

    # --- at the end

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the report and set the exit code."""
        if self._heartbeat:
            self._heartbeat.stop()
        self._trouble = self._trouble or self.selected.trouble
        if session.config.option.collectonly or not self._concluded(exitstatus):
            self._claims.close()
            return
        self.run = self._result()
        try:
            self.paths = write_report(self.settings.out, self.run)
        except InputError as error:
            session.exitstatus = error.exit_code
            self._trouble = str(error)
        else:
            if not self._interrupted:
                session.exitstatus = self.run.exit_code()
        finally:
            self._claims.close()

    def _concluded(self, exitstatus: int) -> bool:
        """Whether there is something to report; pytest's own codes for wrong usage and broken suites stay."""
        if exitstatus == pytest.ExitCode.INTERRUPTED:
            return bool(self._results or self._nodeids)
        return exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}

    def _result(self) -> RunResult:
        known = {case["nodeid"]: tuple(case["requirements"]) for case in self.selected.cases}
        waiting = [nodeid for nodeid in self._nodeids if nodeid not in self._results]
        never = [_never(nodeid, known.get(nodeid, ())) for nodeid in waiting]
        cases = (*self._results.values(), *never)
        later = [_never(case["nodeid"], tuple(case["requirements"])) for case in self.selected.exhaustive]
        stale = self.ledger.stale((*cases, *later)) if self.selected.whole else []
        return RunResult(
            subject=self.facts.name,
            version=self.facts.version,
            cases=cases,
            expected=len(self._nodeids),
            collected=max(self.selected.collected, len(self._nodeids)),
            properties=self.facts.properties,
            versions={
                "pinproof": pinproof.__version__,
                "python": platform.python_version(),
                "pytest": pytest.__version__,
            },
            seeds={"seed": self.settings.seed},
            ledger=self._uses(cases),
            stale_ledger=tuple(f"{entry.name} ({entry.source})" for entry in stale),
            subject_trouble=self._trouble,
            notes=self._notes(cases),
            started=datetime.datetime.fromtimestamp(self._began, datetime.UTC).isoformat(timespec="seconds"),
            duration=time.time() - self._began,
            command=shlex.join(self.command),
        )

    def _uses(self, cases: tuple[CaseResult, ...]) -> tuple[LedgerUse, ...]:
        explained = [case for case in cases if case.outcome in {"expected_failure", "unexpected_pass"}]
        uses = ((entry, tuple(case.id for case in explained if entry.speaks_of(case))) for entry in self.ledger.entries)
        return tuple(LedgerUse(entry.name, entry.reason, entry.link, names) for entry, names in uses if names)

    def _notes(self, cases: tuple[CaseResult, ...]) -> tuple[str, ...]:
        reasons = Counter(reason for case in cases for reason in case.not_applicable)
        notes = [f"{count} cases are not applicable: {reason}" for reason, count in sorted(reasons.items())]
        if self.selected.other_minors:
            notes.append(f"{self.selected.other_minors} cases are of other minors than {self.facts.minor}")
        if self.selected.exhaustive:
            notes.append(f"{len(self.selected.exhaustive)} cases are exhaustive and run with --nightly only")
        slow = [f"every wait was stretched by {self.settings.slow:g}"] if self.settings.slow != 1 else []
        return tuple(notes + slow)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What a reader of the verdict should know."""
        if self.run is None:
            return
        waiting = [case for case in self.run.cases if case.outcome == "not_run"]
        lines = [*self.run.notes]
        lines += [f"ledger: {use.id} explains {len(use.cases)} cases: {use.link}" for use in self.run.ledger]
        lines += [f"not run: {case.nodeid}: {case.message.partition(chr(10))[0]}" for case in waiting[:SHOWN]]
        lines += [f"not run: {len(waiting) - SHOWN} more"] if len(waiting) > SHOWN else []
        lines += [self._trouble] if self._trouble else []
        terminalreporter.ensure_newline()
        if lines:
            terminalreporter.section("pinproof")
        for line in lines:
            terminalreporter.write_line(line)

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """The last lines of all: the verdict, and where the report lies."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if self.run is None or reporter is None:
            return
        code = self.run.exit_code()
        verdict = "INTERRUPTED" if self._interrupted else {0: "PASSED", 1: "FAILED"}.get(code, "NO VERDICT")
        reporter.write_line(f"{verdict} ({self.facts.name}): {exit_reason(self.run.summary())}", bold=True)
        if self.paths:
            reporter.write_line(f"report: {self.paths.html}, {self.paths.json.name}, {self.paths.markdown.name}")


def _unpacked(packed: dict[str, Any]) -> CaseResult:
    """A result as it was before it was sent: lists back to tuples, findings back to values."""
    findings = tuple(Finding(**finding) for finding in packed["findings"])
    tables = tuple(Table(t["title"], tuple(t["head"]), tuple(map(tuple, t["rows"]))) for t in packed["tables"])
    lists = {name: tuple(packed[name]) for name in ("requirements", "not_applicable")}
    return CaseResult(**packed | lists | {"findings": findings, "tables": tables})


def _never(nodeid: str, requirements: tuple[str, ...]) -> CaseResult:
    """A case that the run did not come to. A worker that was killed has not told its requirements."""
    file, _, name = nodeid.partition("::")
    machine, _, configuration = group_of(nodeid).partition("~")
    return CaseResult(
        id=case_id(Path(file), name),
        nodeid=nodeid,
        requirements=requirements,
        outcome="not_run",
        machine=machine,
        configuration=configuration,
        message="the run ended before its turn",
    )


def command_line() -> list[str]:
    """What was typed, with the name of the command instead of its path."""
    command = Path(sys.argv[0])
    name = command.parent.name if command.name == "__main__.py" else command.name
    return [name, *sys.argv[1:]]

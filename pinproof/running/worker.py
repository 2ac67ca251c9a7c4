"""The pytest side of a process that runs cases: it has the subject, and decides how each case ended."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from pinproof.errors import CaptureError, InputError, SubjectError, bugs_told
from pinproof.history import Outcome
from pinproof.ledger import Ledger, Ruling
from pinproof.report import CaseResult
from pinproof.running import artefacts
from pinproof.running.case import Case
from pinproof.running.examine import examine
from pinproof.running.facts import Facts
from pinproof.running.options import Settings
from pinproof.running.outcomes import HANG, End, FoundError, end_of, findings_text, headlines
from pinproof.running.prove import Prove
from pinproof.running.recall import Recall
from pinproof.running.seen import NotObservableError
from pinproof.running.selection import Selected, case_of, id_of, select
from pinproof.scenario.topologies import machine
from pinproof.subjects.protocol import Prepares, Subject

LOST_IN_A_ROW = 3
"""So many cases in a row without a subject end the run: what broke it will break the rest as well."""

PROVE: pytest.StashKey[Prove] = pytest.StashKey()


@dataclass(slots=True)
class _Ended:
    """A case between its call and its report."""

    end: End
    ruling: Ruling
    result: CaseResult


class Worker:
    """Runs cases on a subject that is opened for the first of them."""

    def __init__(self, settings: Settings, facts: Facts, ledger: Ledger, *, opened: Subject | None = None) -> None:
        self.settings = settings
        self.facts = facts
        self.ledger = ledger
        self.selected = Selected()
        self._subject = opened
        self._examine = Recall(examine)
        self._prepared = False
        self._lost = 0
        self._ran = False
        self._selecting = False
        self._left_out = False

    # --- what it runs

    def select(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Take the cases of this run out of what was collected."""
        self._selecting = True
        try:
            self.selected = select(items, config, self.settings, self.facts)
        except InputError as error:
            raise pytest.UsageError(str(error)) from None
        finally:
            self._selecting = False
        self.selected.whole &= not self._left_out

    def pytest_deselected(self) -> None:
        """Somebody else, such as `-k`, leaves cases out: the ledger cannot be judged as a whole."""
        self._left_out |= not self._selecting

    # --- what a case is given

    def prove(self, request: pytest.FixtureRequest) -> Prove:
        """The `prove` of one case."""
        name, configuration = request.param
        subject = self._opened(request.config)
        case = case_of(request.node)
        made = Prove(
            subject,
            machine(name),
            configuration,
            self._examine,
            name=scenario_name(request.node.name),
            given=case is not None and case.given,
        )
        request.node.stash[PROVE] = made
        return made

    def _opened(self, config: pytest.Config) -> Subject:
        if self._subject is None:
            self._subject = config.hook.pytest_pinproof_subject(config=config, spec=self.settings.subject)
        return self._subject

    def _discard(self) -> None:
        """Let go of a subject that cannot be trusted any more; the next case opens another."""
        subject, self._subject = self._subject, None
        if subject is not None:
            subject.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """What a subject needs once is done before the time of a case begins to count."""
        if case_of(item) is not None and not self._prepared:
            self._prepared = True
            with suppress(SubjectError):  # the case meets it again, and tells of it
                subject = self._opened(item.config)
                if isinstance(subject, Prepares):
                    subject.prepare()
        return (yield)

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Leave nothing behind, and tell the controller what was collected, or that something may be left."""
        try:
            with bugs_told("close the subject", remedy="report it with these lines; the next run removes what is left"):
                self._discard()
        except SubjectError as error:
            self.selected.trouble = self.selected.trouble or str(error)
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["pinproof"] = self.selected.packed()

    # --- how it ended

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """A finding of the judge fails the case even where its literal assertions hold."""
        prove = item.stash.get(PROVE, None)
        if prove is None:
            return (yield)
        try:
            yield
        except (NotObservableError, AssertionError) as raised:
            lines = headlines(prove.proofs)
            if lines and isinstance(raised, NotObservableError):
                raise FoundError("\n".join(lines)) from raised
            for line in lines:
                raised.add_note(f"found: {line}")
            raise
        if not prove.proofs:
            pytest.fail("the case never called prove, so it shows nothing", pytrace=False)
        if lines := headlines(prove.proofs):
            raise FoundError("\n".join(lines))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give the report its outcome and everything the run's report wants to know."""
        report = yield
        case = case_of(item)
        decides = call.when == "call" or (call.when in {"setup", "teardown"} and call.excinfo is not None)
        if case is None or not decides:
            return report
        raised = call.excinfo.value if call.excinfo else None
        prove = item.stash.get(PROVE, None)
        ended = self._ended(item, case, raised, prove, report)
        _shape(report, ended, item)
        self._watch(item, ended.end, raised)
        item.user_properties[:] = [("requirement", name) for name in case.requirements]
        item.user_properties.append(("outcome", ended.result.outcome))  # JUnit takes them with the teardown's report
        report.pinproof = asdict(ended.result)  # type: ignore[attr-defined]  # reports carry what they are given
        return report

    def _ended(
        self,
        item: pytest.Item,
        case: Case,
        raised: BaseException | None,
        prove: Prove | None,
        report: pytest.TestReport,
    ) -> _Ended:
        proofs = prove.proofs if prove else []
        end = end_of(raised, proofs)
        if report.when == "teardown":
            end = End("error", f"while cleaning up: {end.message}", plain=end.plain)
        id_ = id_of(item)
        folder = self._keep(id_, prove, end.outcome, report) if report.when == "call" else None
        file = artefacts.scenario_file(folder, proofs) if folder and proofs else Path("scenario.yaml")
        details = findings_text(proofs, file=str(file), subject=self.facts.name)
        findings = tuple(finding for proof in proofs for finding in proof.judgement.findings)
        ruling = self.ledger.rule(
            id_,
            case.requirements,
            end.outcome,
            f"{end.message}\n{details}",
            findings=findings if isinstance(raised, FoundError) else (),
        )
        name, configuration = item.callspec.params["prove"]  # type: ignore[attr-defined]  # every case is parametrised
        result = CaseResult(
            id=id_,
            nodeid=item.nodeid,
            requirements=case.requirements,
            outcome=ruling.outcome,
            duration=report.duration,
            machine=name,
            configuration=configuration.slug,
            findings=findings,
            message=_message(end, ruling),
            not_applicable=(end.message,) if end.outcome == "not_applicable" else (),
            details=details,
            replay=artefacts.replay_command(file, self.facts.name) if folder and proofs else "",
            artefacts=str(folder.relative_to(self.settings.out)) if folder else "",
            tables=tuple(prove.tables) if prove else (),
        )
        return _Ended(end, ruling, result)

    def _keep(self, case: str, prove: Prove | None, outcome: Outcome, report: pytest.TestReport) -> Path | None:
        if prove is None or (outcome in {"passed", "not_applicable"} and not self.settings.keep):
            return None
        subject = prove.subject
        try:
            logs: Mapping[str, str] = subject.gather() if isinstance(subject, artefacts.Gathers) else {}
            return artefacts.keep(self.settings.out, case, prove.proofs, subject=self.facts.name, logs=logs)
        except Exception as error:  # noqa: BLE001  # what cannot be kept must not cost the verdict
            report.sections.append(("not kept", f"the artefacts of this case: {type(error).__name__}: {error}"))
            return None

    def _watch(self, item: pytest.Item, end: End, raised: BaseException | None) -> None:
        """Stop the run when there is no subject to run it on."""
        if end.message.startswith(HANG) or isinstance(raised, SubjectError):
            self._discard()
        if not isinstance(raised, SubjectError) or isinstance(raised, CaptureError):
            self._ran |= end.outcome in {"passed", "failed"}
            self._lost = 0
            return
        self._lost += 1
        if not self._ran or self._lost >= LOST_IN_A_ROW:
            self.selected.trouble = str(raised)
            item.session.shouldfail = "the subject cannot be started"


def _message(end: End, ruling: Ruling) -> str:
    if ruling.outcome == "unexpected_pass" and ruling.entry:
        return f"it passes, but {ruling.entry.source} of the ledger expects: {ruling.entry.message}"
    return end.message


def _shape(report: pytest.TestReport, ended: _Ended, item: pytest.Item) -> None:
    """Make pytest's own report say what the verdict says."""
    result, end, entry = ended.result, ended.end, ended.ruling.entry
    if result.outcome in {"not_applicable", "not_run"}:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, end.message.partition("\n")[0])
    elif result.outcome == "expected_failure" and entry:
        report.outcome = "skipped"
        report.wasxfail = f"{entry.reason} {entry.link}"
    elif result.outcome == "unexpected_pass":
        report.outcome = "failed"
        report.longrepr = result.message
    elif end.plain:
        report.outcome = "failed"
        report.longrepr = result.details or end.message
    if report.outcome == "failed" and result.details and not end.plain:
        report.sections.append(("what the judge found", result.details))
    if report.outcome == "failed":
        report.sections += [(table.title, table.text()) for table in result.tables]
    if report.outcome == "failed" and result.artefacts:
        report.sections.append(("kept", f"{result.artefacts}\n{result.replay}"))


def scenario_name(case: str) -> str:
    """A case's name as a name for its scenario: letters, digits and `-`, at most 200."""
    return re.sub(r"[^A-Za-z0-9]+", "-", case.removeprefix("test_")).strip("-").lower()[:200]

"""`pinproof catalogue`: what runs say of the entries, the page, and the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pinproof.catalogue.cells import Run, merged, run_of
from pinproof.catalogue.entries import Entry
from pinproof.catalogue.measure import RunError, Suites, measure
from pinproof.catalogue.page import page, turns
from pinproof.cli import catalogue as command
from pinproof.cli.main import main
from pinproof.errors import InputError
from pinproof.history import Outcome
from pinproof.report import CaseResult, LedgerUse, RunResult, write_report
from pinproof.report.document import ReportDocument, document_of

LINK = "https://github.com/kubernetes/kubernetes/issues/7"
OTHER = "https://github.com/kubernetes/kubernetes/issues/8"
FILE = "suites/regressions/test_7_x.py"
DEFECT = Entry("A1", "P0", "It breaks", "defect", (LINK,), (f"{FILE}::*",), "", "")
MEANT = replace(DEFECT, id="B2", title="It is so", kind="behaviour")
UNSEEN = replace(DEFECT, id="C3", title="Nobody sees it", cases=(), cannot="There is no light.")
X = f"{FILE}::test_x"


def result(subject: str, outcomes: Mapping[str, Outcome], *, links: Mapping[str, str] | None = None) -> RunResult:
    """A run of cases; `links` are those of the ledger for the cases that it explains."""
    uses = tuple(LedgerUse(case, "known", link, (case,)) for case, link in (links or {}).items())
    cases = tuple(CaseResult(case, case, ("MM-A-001",), outcome) for case, outcome in outcomes.items())
    version = subject.partition(":")[2]
    return RunResult(subject, version, cases, expected=len(cases), collected=len(cases), ledger=uses)


def report(subject: str, outcomes: Mapping[str, Outcome], *, links: Mapping[str, str] | None = None) -> ReportDocument:
    """Its report."""
    return document_of(result(subject, outcomes, links=links))


def ran(subject: str, outcome: Outcome, *entries: Entry) -> Run:
    """What a run of one case says; an expected failure has the entry's own link."""
    links = {X: LINK} if outcome == "expected_failure" else {}
    return run_of(entries or (DEFECT,), report(subject, {X: outcome}, links=links))


# --- cells


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        ("failed", "shows"),
        ("expected_failure", "shows"),
        ("passed", "holds"),
        ("unexpected_pass", "holds"),
        ("not_applicable", "not applicable"),
        ("not_run", "no verdict"),
        ("unknown", "no verdict"),
        ("error", "no verdict"),
    ],
)
def test_what_a_case_says(outcome: Outcome, shown: str) -> None:
    """Every outcome that a case can have."""
    assert shown == ran("component:1.31.0", outcome).cell("A1")


def test_a_failure_that_another_defect_explains_does_not_count() -> None:
    """The ledger has a link of its own for it, which is none of the entry's."""
    run = run_of([DEFECT], report("component:1.31.0", {X: "expected_failure"}, links={X: OTHER}))

    assert "holds" == run.cell("A1")


def test_one_case_that_shows_it_is_enough() -> None:
    """Then missing verdicts do not matter; without one they do."""
    assert "shows" == merged(["holds", "no verdict", "shows"])
    assert "no verdict" == merged(["holds", "no verdict", "not applicable"])
    assert "holds" == merged(["not applicable", "holds"])
    assert "not applicable" == merged([])


def test_cases_of_another_file_are_not_the_entrys() -> None:
    """A release that the cases are not about has none in its report."""
    run = run_of([DEFECT], report("component:1.31.0", {"suites/a/test_a.py::test_x": "failed"}))

    assert "not applicable" == run.cell("A1")
    assert ("suites/a/test_a.py::test_x",) == run.unexplained


# --- page


OLD, NEW = ran("component:1.31.0", "expected_failure"), ran("component:1.32.2", "passed")


def row(text: str, entry: str) -> list[str]:
    """Cells of an entry's row behind its tier."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| [{entry}]") and "| P0 |" in line]
    return [cell.strip() for cell in line.split("| P0 |")[1].strip(" |").split("|")]


def test_fixed_is_what_failed_before() -> None:
    """Whatever order the runs came in."""
    assert ["yes c", "fixed c"] == row(page([DEFECT], [NEW, OLD], "component:1.31..1.32"), "A1")


def test_what_failed_only_later_was_not_there_before() -> None:
    """A release before a defect came is not one in which it was mended."""
    runs = [ran("component:1.31.0", "passed"), ran("component:1.32.2", "failed")]

    assert ["no c", "yes c"] == row(page([DEFECT], runs, "S"), "A1")
    assert [] == turns([DEFECT], runs)


def test_controls_do_not_say_that_a_release_is_free_of_it() -> None:
    """Where a case shows the defect somewhere, a release on which it did not run says nothing, whatever else passed there."""
    control = f"{FILE}::test_control"
    old = run_of([DEFECT], report("component:1.31.0", {control: "passed"}))
    new = run_of([DEFECT], report("component:1.32.2", {control: "passed", X: "failed"}))

    assert ["–", "yes c"] == row(page([DEFECT], [old, new], "S"), "A1")
    assert ["no c"] == row(page([DEFECT], [old], "S"), "A1")


def test_each_subject_has_its_letter() -> None:
    """Where they agree they share a word; a release that one of them did not run has the other's alone."""
    runs = [OLD, NEW, ran("kubelet:1.31.0", "failed"), ran("kubelet:1.36.3", "passed")]

    assert ["yes ck", "fixed c", "fixed k"] == row(page([DEFECT], runs, "S"), "A1")


def test_other_words() -> None:
    """What is meant so, what says nothing, what has no verdict, what cannot be shown."""
    assert ["as meant c"] == row(page([MEANT], [ran("component:1.31.0", "passed", MEANT)], "S"), "B2")
    assert ["differs c"] == row(page([MEANT], [ran("component:1.31.0", "failed", MEANT)], "S"), "B2")
    assert ["–"] == row(page([DEFECT], [ran("component:1.31.0", "not_applicable")], "S"), "A1")
    assert ["? c"] == row(page([DEFECT], [ran("component:1.31.0", "unknown")], "S"), "A1")
    assert ["×"] == row(page([UNSEEN], [ran("component:1.31.0", "passed", UNSEEN)], "S"), "C3")


def test_mended_defects_are_counted_and_named() -> None:
    """Once, however many cases show them; what is meant so is no defect."""
    text = page([DEFECT, MEANT], [ran(f"component:{v}", o, DEFECT, MEANT) for v, o in VERSIONS.items()], "S")

    assert "\n1 of the entries are seen failing on an older release and passing on a newer one:\n" in text
    assert "`test_7_x.py::test_x` | component | 1.31.0 | 1.32.2, 1.36.3 |" in text


VERSIONS: dict[str, Outcome] = {"1.31.0": "expected_failure", "1.32.2": "passed", "1.36.3": "passed"}


def test_the_page_says_what_shows_an_entry_and_what_does_not() -> None:
    """Links, where each case failed and passed, and the reason where there is none."""
    runs = [ran(f"component:{version}", outcome, DEFECT, UNSEEN) for version, outcome in VERSIONS.items()]
    text = page([DEFECT, UNSEEN], runs, "component:1.31..1.32")

    assert f"[#7]({LINK})." in text
    assert "- `test_7_x.py::test_x` – component: fails on 1.31.0, passes on 1.32.2, 1.36.3" in text
    assert "Cannot be shown: There is no light." in text
    assert "pinproof catalogue --subjects component:1.31..1.32 --out docs/regressions.md" in text


def test_what_was_open_is_answered_by_the_runs() -> None:
    """In the words of the table; a release that says nothing is not named."""
    asked = replace(DEFECT, unconfirmed="The release of the fix.")
    outcomes: dict[str, Outcome] = {"1.30.14": "not_applicable", **VERSIONS}
    text = page([asked], [ran(f"component:{v}", o, asked) for v, o in outcomes.items()], "S")

    said = "Was open: The release of the fix. Measured on component: yes on 1.31.0; fixed on 1.32.2, 1.36.3."
    assert said in text.splitlines()


# --- measuring


def runner(results: Mapping[str, RunResult], codes: Mapping[str, int] | None = None) -> tuple[list[list[str]], Suites]:
    """A stand-in for `pinproof run` that writes these reports, and what it was called with."""
    called: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        called.append(arguments)
        subject = arguments[arguments.index("--subject") + 1]
        if subject in results:
            write_report(Path(arguments[arguments.index("--out") + 1]), results[subject])
        return (codes or {}).get(subject, 0)

    return called, run


def test_every_file_is_run_on_every_subject(tmp_path: Path) -> None:
    """In their order, each into a folder of its own."""
    results = {subject: result(subject, {X: "passed"}) for subject in ("component:1.31.0", "kubelet:1.32.2")}
    called, run = runner(results)

    runs = measure([DEFECT, UNSEEN], results, run, reports=tmp_path, options=["-n", "2"])

    assert [("component", "1.31.0"), ("kubelet", "1.32.2")] == [(one.kind, one.version) for one in runs]
    assert all(arguments[0].endswith(FILE) and arguments[-2:] == ["-n", "2"] for arguments in called)
    assert ["component-1.31.0", "kubelet-1.32.2"] == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("code", [2, 3, 5, 12])
def test_a_run_without_a_report_ends_it(tmp_path: Path, code: int) -> None:
    """The run has said why; the exit code is passed on, even where an older report lies about."""
    _, run = runner({"component:1.31.0": result("component:1.31.0", {X: "passed"})}, {"component:1.31.0": code})

    with pytest.raises(RunError) as raised:
        measure([DEFECT], ["component:1.31.0"], run, reports=tmp_path)

    assert code == raised.value.exit_code
    assert "component:1.31.0" in str(raised.value)


def test_an_interrupted_run_is_no_answer(tmp_path: Path) -> None:
    """Not even in part."""
    _, run = runner({"component:1.31.0": result("component:1.31.0", {X: "passed"})}, {"component:1.31.0": 130})

    with pytest.raises(KeyboardInterrupt):
        measure([DEFECT], ["component:1.31.0"], run, reports=tmp_path)


def test_a_release_is_measured_once(tmp_path: Path) -> None:
    """The second would overwrite the first."""
    _, run = runner({"component:1.31.0": result("component:1.31.0", {X: "passed"})})

    with pytest.raises(InputError, match=r"component 1\.31\.0 is there twice"):
        measure([DEFECT], ["component:1.31.0", "component:1.31.0"], run, reports=tmp_path)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({}, False),
        ({"started": "2020-01-01T00:00:00+00:00"}, True),
        ({"subject": "component:1.32.2"}, True),
        ({"expected": 2}, True),
    ],
    ids=["good", "older-than-the-cases", "of-another-subject", "not-whole"],
)
def test_a_report_is_used_again(tmp_path: Path, change: dict[str, Any], again: bool) -> None:
    """If it is whole, of the subject, and younger than the files of cases."""
    entry = replace(DEFECT, cases=("suites/regressions/test_113130_group_split.py::*",))
    there = replace(result("component:1.31.0", {X: "passed"}), started="2099-01-01T00:00:00+00:00")
    write_report(tmp_path / "component-1.31.0", replace(there, **change))
    called, run = runner({"component:1.31.0": there})

    measure([entry], ["component:1.31.0"], run, reports=tmp_path, reuse=True)

    assert again == bool(called)


# --- the command


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["A1", "Z9"], 2, "there is no entry 'Z9'"),
        (["--subjects", ","], 2, "names 0; such as component:1.36.3"),
        (["--subjects", "component:1.99..2.0"], 2, "has no release"),
        (["--out", "/proc/nowhere/page.md"], 2, "cannot be written"),
        (["--reuse"], 2, "it takes --reports"),
        (["--entries"], 2, "catalogue does not take --entries"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    """Before anything is run."""
    assert code == main(["catalogue", *arguments])

    said = capsys.readouterr().err
    assert message in said
    assert 1 == len(said.splitlines())


def test_page_of_the_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One entry, really run: the models differ where the releases do."""
    out = tmp_path / "page.md"
    code = main(["catalogue", "A2", "--subjects", "reference:1.31,reference:1.32", "--out", str(out)])
    (line,) = [line for line in out.read_text().splitlines() if line.startswith("| [A2]") and "| P0 |" in line]

    assert 0 == code
    assert line.endswith("| P0 | yes r | fixed r |")
    assert 2 == len(capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    ("outcome", "code", "message"),
    [
        ("passed", 0, ""),
        ("expected_failure", 0, ""),
        ("failed", 1, "test_x failed, and is not in the ledger"),
        ("unexpected_pass", 11, "test_x passed, but the ledger expects its failure"),
        ("unknown", 10, "test_x has no verdict"),
    ],
)
def test_what_is_not_whole_is_said(
    capsys: pytest.CaptureFixture[str], outcome: Outcome, code: int, message: str
) -> None:
    """With the exit code of a run that ends so."""
    assert code == command._told([ran("component:1.31.0", outcome)])
    assert message in capsys.readouterr().err


def test_nothing_is_written_without_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A subject that cannot be had leaves the page as it was."""
    out = tmp_path / "page.md"
    out.write_text("before")
    new = tmp_path / "new.md"

    assert 2 == main(["catalogue", "A2", "--subjects", "reference:1.31,nonsense:1", "--out", str(out)])
    assert 2 == main(["catalogue", "A2", "--subjects", "nonsense:1", "--out", str(new)])
    assert "before" == out.read_text()
    assert not new.exists()
    first, _second = capsys.readouterr().err.splitlines()
    assert "there is no subject 'nonsense'" in first

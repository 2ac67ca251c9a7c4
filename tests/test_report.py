"""The report of a run: its numbers, its files, its schema."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from pinproof.errors import InputError
from pinproof.judge.verdict import Finding
from pinproof.report import CaseResult, LedgerUse, RunResult, Table, claim, html, markdown, read_report, write_report
from pinproof.report.schema import schema

ROOT = Path(__file__).parent.parent

FINDING = Finding("required", "I-5", 2, "machine.0.memory.reserved", "4294967296 (4Gi)", "0", "No byte is lost.")
PASSED = CaseResult("MM-ADMIT-001[two]", "suites/a.py::test_a[two]", ("MM-ADMIT-001", "MM-ADMIT-002"), "passed", 0.25)
FAILED = CaseResult(
    "MM-ADMIT-002[two]",
    "suites/a.py::test_b[two]",
    ("MM-ADMIT-002",),
    "failed",
    1.5,
    machine="two",
    configuration="static",
    findings=(FINDING,),
    message="expected 4Gi, seen 0",
    details="two: failed\n```\n<b>step 2</b>: admit a | b",
    replay="pinproof replay failures/x/scenario.yaml --subject kubelet:1.36.3",
    artefacts="failures/x",
    tables=(Table("outcomes by order", ("order", "outcome"), (("a, b", "as before"), ("b, a", "<pod b> | rejected"))),),
)
ABSENT = CaseResult("MM-METRICS-001[two]", "n", ("MM-METRICS-001",), "not_applicable", not_applicable=("no counters",))
RUN = RunResult(
    subject="kubelet:1.36.3",
    version="1.36.3",
    cases=(PASSED, FAILED, ABSENT),
    expected=3,
    collected=4,
    properties={"host kernel": "6.1"},
    versions={"pinproof": "0.1"},
    seeds={"fuzz": 7},
    ledger=(LedgerUse("MM-RESTART-003", "known", "https://example.org/1", ("MM-RESTART-003[two]",)),),
    notes=("cpu: the subject does not show it",),
    started="2026-11-21T22:00:00Z",
    duration=12.0,
    command="pinproof run",
)


def test_requirements_are_merged_over_their_cases() -> None:
    """A requirement is as good as its worst case, and a case may speak for several."""
    assert {
        "MM-ADMIT-001": "passed",
        "MM-ADMIT-002": "failed",
        "MM-METRICS-001": "not_applicable",
    } == RUN.requirements()


def test_exit_code_is_that_of_the_summary() -> None:
    """The report and the process say the same."""
    assert 1 == RUN.exit_code()
    assert 0 == replace(RUN, cases=(PASSED, ABSENT), expected=2).exit_code()
    assert 10 == replace(RUN, cases=(PASSED, ABSENT)).exit_code()


def test_written_report_is_read_back(tmp_path: Path) -> None:
    """Every number and finding survives the way through the file."""
    paths = write_report(tmp_path / "out", RUN)
    report = read_report(paths.json)

    assert (report.api_version, report.kind, report.exit_code) == ("pinproof/v1alpha1", "Report", 1)
    assert {
        "expected": 3,
        "collected": 4,
        "executed": 2,
        "outcomes": {"failed": 1, "not_applicable": 1, "passed": 1},
    } == report.totals.model_dump()
    assert "4294967296 (4Gi)" == report.cases[1].findings[0].expected
    assert "failed" == report.requirements["MM-ADMIT-002"]
    assert ["report.html", "report.json", "report.md"] == sorted(path.name for path in (tmp_path / "out").iterdir())


def test_committed_schema_is_that_of_the_code() -> None:
    """`python -m pinproof.report.schema > schemas/report.json` was run after the last change."""
    assert schema() == (ROOT / "schemas" / "report.json").read_text()


def test_written_report_keeps_to_the_schema(tmp_path: Path) -> None:
    """What is written validates; an outcome that does not exist does not."""
    document = json.loads(write_report(tmp_path, RUN).json.read_text())

    jsonschema.validate(document, json.loads(schema()))
    document["cases"][0]["outcome"] = "skipped"
    with pytest.raises(jsonschema.ValidationError, match="skipped"):
        jsonschema.validate(document, json.loads(schema()))


def test_markdown_tells_failures_first() -> None:
    """A step summary shows the verdict, then what failed with its replay command, then the rest."""
    text = markdown(RUN)

    assert text.startswith("# pinproof: kubelet:1.36.3, exit 1\n\n1 of 2 cases failed.\n")
    assert text.index("failed: `MM-ADMIT-002[two]`") < text.index("## Requirements") < text.index("- fuzz: 7")
    assert "````\ntwo: failed\n```\n" in text
    assert FAILED.replay in text
    assert "| MM-ADMIT-002 | failed |\n| MM-ADMIT-001 | passed |\n" in text


def test_tables_of_a_case_are_in_every_form(tmp_path: Path) -> None:
    """What a case tells beside its verdict is in the file, on both pages, and in plain text for the terminal."""
    paths = write_report(tmp_path / "out", RUN)
    tables = [table for case in read_report(paths.json).cases for table in case.tables]

    assert [["a, b", "as before"], ["b, a", "<pod b> | rejected"]] == [row for table in tables for row in table.rows]
    assert "| b, a | <pod b> \\| rejected |" in markdown(RUN)
    assert "<td>b, a<td>&lt;pod b&gt; | rejected" in html(RUN)
    assert "order  outcome\na, b   as before\nb, a   <pod b> | rejected" == FAILED.tables[0].text()


def test_table_has_no_ragged_rows() -> None:
    """A row that does not fit its head is a mistake of the case."""
    with pytest.raises(ValueError, match="has not 2 cells"):
        Table("t", ("a", "b"), (("1",),))


def test_slowest_cases_are_named() -> None:
    """Twenty of them, the slowest first; those that never ran took no time."""
    many = tuple(replace(PASSED, id=f"case-{number}", duration=number / 10) for number in range(25))
    run = replace(RUN, cases=many)

    assert [f"case-{number}" for number in range(24, 4, -1)] == [case.id for case in run.slowest()]
    assert ["case-0"] == [case.id for case in many if not case.duration]
    assert "| 2.40 | case-24 |\n| 2.30 | case-23 |" in markdown(run)
    assert "<td>2.40<td>case-24" in html(run)
    assert "| 0.40 | case-4 |" not in markdown(run)


def test_markdown_of_many_failures_is_bounded() -> None:
    """A step summary is cut at 1 MiB; the rest is in the JSON."""
    run = replace(RUN, cases=(FAILED,) * 80, expected=80)

    assert "And 30 more; all of them are in `report.json`." in markdown(run)


def test_subject_trouble_is_shown_with_its_remedy() -> None:
    """Exit 12: the message has several lines, and all are there."""
    run = replace(RUN, cases=(), subject_trouble="build: no Go\n  next: install Go")

    assert "12" in markdown(run).splitlines()[0]
    assert "  next: install Go" in markdown(run)
    assert "  next: install Go" in html(run)


class _Strict(HTMLParser):
    """Collects tags and everything that would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [name for name, _ in attrs if name in {"src", "href"}]


def test_html_stands_alone_and_escapes_what_it_shows() -> None:
    """No script, nothing to load, and nothing of the subject's text becomes markup."""
    page = _Strict()
    page.feed(html(RUN))

    assert [] == page.loads
    assert not {"script", "link", "img", "b"} & page.tags
    assert "&lt;b&gt;step 2&lt;/b&gt;" in html(RUN)


def test_folder_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    """One message with the place and the remedy, exit 2, for claiming and for writing."""
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "out"

    with pytest.raises(InputError, match=r"--out .*cannot be written.*name a folder") as claimed, claim(below):
        pass
    with pytest.raises(InputError, match="cannot be written"):
        write_report(below, RUN)

    assert 2 == claimed.value.exit_code


def test_failed_write_leaves_no_half_file(tmp_path: Path) -> None:
    """A file that cannot be put in place is taken away again."""
    (tmp_path / "report.md").mkdir()

    with pytest.raises(InputError, match="cannot be written"):
        write_report(tmp_path, RUN)

    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]


def _other_run(directory: Path, answers: multiprocessing.SimpleQueue[str]) -> None:
    try:
        with claim(directory):
            answers.put("claimed")
    except InputError as error:
        answers.put(str(error))


def _from_another_process(directory: Path) -> str:
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    process = context.Process(target=_other_run, args=(directory, answers))
    process.start()
    process.join()
    return answers.get()


def test_two_runs_cannot_share_a_folder(tmp_path: Path) -> None:
    """The second is told so while the first goes on, and may have the folder afterwards."""
    with claim(tmp_path / "out") as directory:
        assert "another run writes there" in _from_another_process(directory)

    assert "claimed" == _from_another_process(tmp_path / "out")


def test_broken_report_is_refused_with_all_its_problems(tmp_path: Path) -> None:
    """Every problem with its place; a missing file is one of them."""
    path = tmp_path / "report.json"
    document = json.loads(write_report(tmp_path, RUN).json.read_text())
    document["cases"][0]["outcome"] = "skipped"
    document["unknown"] = 1
    path.write_text(json.dumps(document))

    with pytest.raises(InputError) as refused:
        read_report(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_report(tmp_path / "none.json")

    assert ["cases.0.outcome", "unknown"] == [problem.path for problem in refused.value.problems]

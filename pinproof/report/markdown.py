"""The report as Markdown, for a step summary: the verdict, then what failed, then the rest in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from pinproof.history import Outcome
from pinproof.judge.lattice import ORDER, exit_reason
from pinproof.report.result import SLOWEST, CaseResult, RunResult, Table

BAD: tuple[Outcome, ...] = ("error", "failed", "unexpected_pass", "unknown", "not_run")
"""Outcomes that are told case by case, the worst first."""

TOLD = 50
"""Cases told in full; a step summary is cut at 1 MiB."""


def words_of(outcome: Outcome) -> str:
    """`expected_failure` → `expected failure`."""
    return outcome.replace("_", " ")


def bad_cases(run: RunResult) -> list[CaseResult]:
    """The cases that a reader must look at, the worst first."""
    found = [case for case in run.cases if case.outcome in BAD]
    return sorted(found, key=lambda case: BAD.index(case.outcome))


def counts(run: RunResult) -> Iterator[tuple[str, int]]:
    """(outcome in words, number of cases), the worst first, without zeros."""
    summary = run.summary()
    return ((words_of(outcome), count) for outcome in reversed(ORDER) if (count := summary.count(outcome)))


def markdown(run: RunResult) -> str:
    """The whole page; ends with a newline."""
    return "\n".join(_lines(run)) + "\n"


def _lines(run: RunResult) -> Iterator[str]:
    yield f"# pinproof: {_cell(run.subject)}, exit {run.exit_code()}"
    yield ""
    yield f"{_cell(exit_reason(run.summary()))}."
    yield ""
    yield "| outcome | cases |"
    yield "|---|---:|"
    yield from (f"| {outcome} | {count} |" for outcome, count in counts(run))
    yield f"| expected to run | {run.expected} |"
    yield ""
    yield from _subject_trouble(run)
    yield from _failures(run)
    yield from _requirements(run)
    yield from _ledger(run)
    yield from _tables(run)
    yield from _slowest(run)
    yield from _facts(run)


def _subject_trouble(run: RunResult) -> Iterator[str]:
    if run.subject_trouble:
        yield "## The subject could not be built, started or closed"
        yield ""
        yield from _fenced(run.subject_trouble)


def _failures(run: RunResult) -> Iterator[str]:
    bad = bad_cases(run)
    if not bad:
        return
    yield "## What to look at"
    yield ""
    for case in bad[:TOLD]:
        yield f"### {words_of(case.outcome)}: `{case.id}`"
        yield ""
        where = ", ".join(filter(None, [case.machine, case.configuration, *case.requirements]))
        if where:
            yield f"{_cell(where)}"
            yield ""
        yield from _fenced(case.details or case.message)
        if case.replay:
            yield f"`{case.replay}`"
            yield ""
    if len(bad) > TOLD:
        yield f"And {len(bad) - TOLD} more; all of them are in `report.json`."
        yield ""


def _requirements(run: RunResult) -> Iterator[str]:
    requirements = run.requirements().items()
    yield "## Requirements"
    yield ""
    yield f"<details><summary>{len(requirements)} requirements, the worst first</summary>"
    yield ""
    yield "| requirement | outcome |"
    yield "|---|---|"
    ordered = sorted(requirements, key=lambda pair: (-ORDER.index(pair[1]), pair[0]))
    yield from (f"| {_cell(requirement)} | {words_of(outcome)} |" for requirement, outcome in ordered)
    yield ""
    yield "</details>"
    yield ""


def _ledger(run: RunResult) -> Iterator[str]:
    if not run.ledger and not run.stale_ledger:
        return
    yield "## Ledger"
    yield ""
    yield from (f"- {use.id}, {len(use.cases)} cases: {_cell(use.reason)} <{use.link}>" for use in run.ledger)
    yield from (f"- **stale**: {entry} matches nothing" for entry in run.stale_ledger)
    yield ""


def _tables(run: RunResult) -> Iterator[str]:
    told = [case for case in run.cases if case.tables]
    if told:
        yield "## What the cases tell"
        yield ""
    for case in told[:TOLD]:
        yield f"<details><summary>{escape(case.id)}</summary>"
        yield ""
        for table in case.tables:
            yield from _table(table)
        yield "</details>"
        yield ""
    if len(told) > TOLD:
        yield f"And {len(told) - TOLD} more; all of them are in `report.json`."
        yield ""


def _table(table: Table) -> Iterator[str]:
    yield _cell(table.title)
    yield ""
    yield "| " + " | ".join(map(_cell, table.head)) + " |"
    yield "|" + "---|" * len(table.head)
    yield from ("| " + " | ".join(map(_cell, row)) + " |" for row in table.rows[:TOLD])
    yield ""
    if len(table.rows) > TOLD:
        yield f"And {len(table.rows) - TOLD} more rows; all of them are in `report.json`."
        yield ""


def _slowest(run: RunResult) -> Iterator[str]:
    yield "## Slowest cases"
    yield ""
    yield f"<details><summary>at most {SLOWEST}, the slowest first</summary>"
    yield ""
    yield "| seconds | case |"
    yield "|---:|---|"
    yield from (f"| {case.duration:.2f} | {_cell(case.id)} |" for case in run.slowest())
    yield ""
    yield "</details>"
    yield ""


def _facts(run: RunResult) -> Iterator[str]:
    yield "## Run"
    yield ""
    yield f"- started {run.started}, took {run.duration:.1f} s"
    if run.command:
        yield f"- command: `{run.command}`"
    for facts in (run.properties, run.versions, run.seeds):
        yield from (f"- {key}: {value}" for key, value in sorted(facts.items()))
    yield from (f"- {_cell(note)}" for note in run.notes)


def _fenced(text: str) -> Iterator[str]:
    """A code block whose fence is longer than any run of backquotes at the start of a line in it."""
    longest = max((len(line) - len(line.lstrip("`")) for line in text.splitlines()), default=0)
    fence = "`" * max(3, longest + 1)
    yield fence
    yield from text.rstrip("\n").splitlines()
    yield fence
    yield ""


def _cell(text: str) -> str:
    """Text that stays in its table cell."""
    return " ".join(text.split()).replace("|", "\\|")

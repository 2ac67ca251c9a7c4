"""The report as one HTML file that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from pinproof.judge.lattice import exit_reason
from pinproof.report.markdown import bad_cases, counts, words_of
from pinproof.report.result import CaseResult, RunResult

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}
td.n{text-align:right}pre{overflow-x:auto;padding:.6rem;border:1px solid #8886;border-radius:4px;font-size:.85rem}
summary{cursor:pointer}.failed,.error,.unexpected_pass{color:#c22}.unknown,.not_run,.expected_failure{color:#b60}
.passed{color:#282}.not_applicable{color:#777}
"""


def html(run: RunResult) -> str:
    """The whole page."""
    return "".join(_page(run))


def _page(run: RunResult) -> Iterator[str]:
    title = escape(f"pinproof: {run.subject}, exit {run.exit_code()}")
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    yield f"<p>{escape(exit_reason(run.summary()))}.</p>\n"
    yield _table(("outcome", "cases"), [(outcome, str(count)) for outcome, count in counts(run)])
    if run.subject_trouble:
        yield f"<h2>The subject could not be built, started or closed</h2>\n<pre>{escape(run.subject_trouble)}</pre>\n"
    bad = bad_cases(run)
    if bad:
        yield "<h2>What to look at</h2>\n"
        yield from map(_failure, bad)
    yield "<h2>Requirements</h2>\n"
    yield _table(
        ("requirement", "outcome"), ((name, words_of(outcome)) for name, outcome in run.requirements().items())
    )
    if run.ledger or run.stale_ledger:
        yield "<h2>Ledger</h2>\n"
        used = [(use.id, f"{len(use.cases)} cases", use.reason, use.link) for use in run.ledger]
        yield _table(
            ("entry", "used for", "reason", "link"), [*used, *((e, "stale", "", "") for e in run.stale_ledger)]
        )
    yield from _tables(run)
    yield "<h2>Slowest cases</h2>\n"
    yield _table(("seconds", "case"), ((f"{case.duration:.2f}", case.id) for case in run.slowest()))
    yield "<h2>Cases</h2>\n<details><summary>all cases</summary>\n"
    yield from _cases(run.cases)
    yield "</details>\n<h2>Run</h2>\n"
    yield _table(("fact", "value"), _facts(run))
    yield "</body></html>\n"


def _failure(case: CaseResult) -> str:
    replay = f"<p><code>{escape(case.replay)}</code></p>" if case.replay else ""
    where = ", ".join(filter(None, [case.machine, case.configuration, *case.requirements]))
    return (
        f'<details open><summary><span class="{case.outcome}">{words_of(case.outcome)}</span> '
        f"{escape(case.id)}</summary>\n<p>{escape(where)}</p>"
        f"<pre>{escape(case.details or case.message)}</pre>{replay}</details>\n"
    )


def _tables(run: RunResult) -> Iterator[str]:
    told = [case for case in run.cases if case.tables]
    if told:
        yield "<h2>What the cases tell</h2>\n"
    for case in told:
        yield f"<details><summary>{escape(case.id)}</summary>\n"
        yield from (f"<p>{escape(table.title)}</p>{_table(table.head, table.rows)}" for table in case.tables)
        yield "</details>\n"


def _cases(cases: Iterable[CaseResult]) -> Iterator[str]:
    yield "<table><tr><th>case<th>outcome<th>seconds<th>remark</tr>\n"
    for case in cases:
        remark = "; ".join(case.not_applicable)
        yield (
            f'<tr><td>{escape(case.id)}<td class="{case.outcome}">{words_of(case.outcome)}'
            f'<td class="n">{case.duration:.2f}<td>{escape(remark)}</tr>\n'
        )
    yield "</table>\n"


def _facts(run: RunResult) -> Iterator[tuple[str, str]]:
    yield "started", run.started
    yield "seconds", f"{run.duration:.1f}"
    yield "command", run.command
    for facts in (run.properties, run.versions, run.seeds):
        yield from ((key, str(value)) for key, value in sorted(facts.items()))
    yield from (("note", note) for note in run.notes)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    header = "".join(f"<th>{escape(cell)}" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}' for cell in row)}</tr>\n" for row in rows)
    return f"<table><tr>{header}</tr>\n{body}</table>\n"

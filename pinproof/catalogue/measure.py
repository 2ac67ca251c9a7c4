"""Runs the cases of the catalogue on one subject after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pinproof.catalogue.cells import Run, run_of
from pinproof.catalogue.entries import Entry, files_of, selected_by
from pinproof.errors import InputError, PinproofError, Problem
from pinproof.report.document import ReportDocument
from pinproof.report.files import read_report
from pinproof.running.places import shipped

Suites = Callable[[list[str]], int]
"""`pinproof run`: arguments → exit code."""

VERDICTS = (0, 1, 10, 11)
"""Exit codes of a run that has written its report."""

INTERRUPTED = 130


class RunError(PinproofError):
    """A run of the suites ended without a report; it has said why."""

    def __init__(self, subject: str, code: int) -> None:
        self.exit_code = code
        super().__init__(f"{subject}: the run ended with {code} and no report; nothing was written")


def measure(
    entries: Sequence[Entry],
    subjects: Iterable[str],
    run: Suites,
    *,
    reports: Path,
    options: Sequence[str] = (),
    reuse: bool = False,
) -> list[Run]:
    """Run every case of the entries on every subject.

    Args:
        entries: what to look for.
        subjects: such as `component:1.31.0`, one after the other.
        run: runs suites.
        reports: folder for the reports, one folder a subject inside.
        options: further options of `pinproof run`.
        reuse: take a report that is there, whole and younger than the files of cases, instead of running again.

    Raises:
        InputError: two subjects are of one kind and release.
        RunError: a subject cannot be had, or the suites cannot be run.
        KeyboardInterrupt: a run was interrupted.
    """
    done: dict[tuple[str, str], Run] = {}
    for subject in subjects:
        document = _report(entries, subject, run, reports, options, reuse=reuse)
        found = run_of(entries, document)
        if (found.kind, found.version) in done:
            raise InputError("--subjects", Problem("", f"{found.kind} {found.version} is there twice"))
        done[found.kind, found.version] = found
        showing = sum(found.cell(entry.id) == "shows" for entry in entries)
        sys.stderr.write(f"pinproof: {subject}: {document.totals.executed} cases, {showing} entries reproduce\n")
    return list(done.values())


def _report(
    entries: Sequence[Entry], subject: str, run: Suites, reports: Path, options: Sequence[str], *, reuse: bool
) -> ReportDocument:
    root = shipped("suites").parent
    out = reports / "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in subject)
    if reuse and (out / "report.json").exists():
        found = read_report(out / "report.json")
        if _is_good(found, subject, [root / file for file in files_of(entries)]):
            return found
    paths = [str(root / name) for name in selected_by(entries)]
    code = run([*paths, "--subject", subject, "--out", str(out), "-p", "no:cacheprovider", *options])
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code not in VERDICTS:
        raise RunError(subject, code)
    return read_report(out / "report.json")


def _is_good(report: ReportDocument, subject: str, files: Sequence[Path]) -> bool:
    """Whether a report is of this subject, has a verdict on all its cases, and is younger than every file of cases."""
    began = datetime.fromisoformat(report.started).timestamp()
    whole = report.exit_code not in {10, 12, INTERRUPTED}
    return report.subject.name == subject and whole and all(file.stat().st_mtime < began for file in files)

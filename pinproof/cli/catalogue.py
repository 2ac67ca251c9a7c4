"""`pinproof catalogue`: on which releases each known regression reproduces, measured, as a page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinproof.catalogue.cells import Run
    from pinproof.catalogue.entries import Entry

EXIT_FAILED, EXIT_NO_VERDICT, EXIT_STALE = 1, 10, 11

_DESCRIPTION = f"""{__doc__}

Runs the cases of every entry of catalogue/ on every subject. Exit 0: all have a verdict, and the ledger expects every failure;
1: it does not expect one; 10: a case has no verdict; 11: a case passed that the ledger expects to fail.
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "catalogue", help="on which releases each known regression reproduces", description=_DESCRIPTION
    )
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help="only these, such as A2 (default: all)")
    parser.add_argument(
        "--subjects",
        metavar="S,S,…",
        default="component:1.29.6..1.37.1",
        help="what to run on, ranges of releases allowed (default: %(default)s)",
    )
    parser.add_argument("--out", metavar="FILE", help="write the page there instead of printing it")
    parser.add_argument("--reports", metavar="DIR", help="keep the report of every run in this folder")
    parser.add_argument(
        "--reuse", action="store_true", help="take a report that is there, if it is younger than the cases"
    )
    parser.add_argument("-n", dest="workers", metavar="N", type=int, default=0, help="run so many cases side by side")
    parser.add_argument("--slow", metavar="N", type=float, help="stretch every wait")
    parser.set_defaults(run=catalogue)


def catalogue(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    from contextlib import ExitStack
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from pinproof.catalogue.entries import read_catalogue
    from pinproof.catalogue.measure import measure
    from pinproof.catalogue.page import page
    from pinproof.cli.run import run_suites
    from pinproof.errors import InputError, Problem
    from pinproof.layers.ranges import subjects_of
    from pinproof.subjects.registry import open_subject

    if options.reuse and not options.reports:
        raise InputError("--reuse", Problem("", "it takes --reports, the folder of the reports to reuse"))
    entries = _chosen(read_catalogue(), options.entries)
    subjects = subjects_of(options.subjects, least=1)
    out = _writable(options.out) if options.out else None
    for subject in subjects:
        open_subject(subject, slow=options.slow).close()  # found out before the others are run
    more = ["-p", "no:terminal", "-n", str(options.workers), *(["--slow", str(options.slow)] if options.slow else [])]
    with ExitStack() as stack:
        reports = Path(options.reports or stack.enter_context(TemporaryDirectory(prefix="pinproof-catalogue-")))
        runs = measure(entries, subjects, run_suites, reports=reports, options=more, reuse=options.reuse)
    text = page(entries, runs, options.subjects)
    if out:
        out.write_text(text)
    else:
        print(text, end="")
    return _told(runs)


def _chosen(known: Sequence[Entry], names: Iterable[str]) -> list[Entry]:
    from pinproof.cli.main import meant
    from pinproof.errors import InputError, Problem

    wanted = set(names)
    ids = [entry.id for entry in known]
    unknown = sorted(wanted - set(ids))
    if unknown:
        raise InputError(
            "catalogue", *(Problem("", f"there is no entry {name!r}{meant(name, ids)}") for name in unknown)
        )
    return [entry for entry in known if entry.id in wanted or not wanted]


def _writable(name: str) -> Any:
    """The file to write; found out before half an hour of runs."""
    from pathlib import Path

    from pinproof.errors import InputError, Problem

    path = Path(name)
    was_there = path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()
    except OSError as error:
        raise InputError(f"--out {name}", Problem("", f"cannot be written: {error.strerror}")) from None
    if not was_there:
        path.unlink()
    return path


def _told(runs: Sequence[Run]) -> int:
    """Say on standard error what keeps the answer from being whole; returns the exit code."""
    import sys

    code = 0
    for run in runs:
        for word, cases, worth in (
            ("failed, and is not in the ledger", run.unexplained, EXIT_FAILED),
            ("passed, but the ledger expects its failure", run.stale, EXIT_STALE),
            ("has no verdict", run.unseen, EXIT_NO_VERDICT),
        ):
            for case in cases:
                sys.stderr.write(f"pinproof: {run.kind} {run.version}: {case} {word}\n")
            code = code or (worth if cases else 0)
    return code

"""`pinproof fuzz`: scenarios drawn at random, on a subject and on the reference; what differs is shrunk and kept."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from pinproof.fuzz.session import Wishes

DEFAULT_SUBJECT = "component:1.36.3"
MAX_FINDINGS = 50

_EPILOG = """\
Without --scenarios and --minutes it goes on until Ctrl-C, which keeps all that was found. With --out and a folder that
holds a campaign it goes on with that one. Exit codes: 0 nothing unexplained, 1 a finding, 2 bad input, 12 no subject,
130 interrupted.
"""


_OPTIONS: tuple[tuple[str, type, str, str], ...] = (
    ("--subject", str, "S", f"what to test (default {DEFAULT_SUBJECT})"),
    ("--scenarios", int, "N", "draw so many, those of an earlier part included"),
    ("--minutes", float, "M", "draw for so long"),
    ("--seed", int, "N", "what is drawn (default: chance, and told)"),
    ("--out", str, "DIR", "where findings go; a campaign that is there goes on (default: a new folder)"),
    ("--corpus", str, "DIR", "interesting scenarios, tried first (default: in the cache; with --seed: none)"),
    ("--confirm", str, "S", "try what is found there too (default: the release's kubelet, if it is built)"),
    ("--max-findings", int, "N", f"draw no more after so many kinds of failure (default {MAX_FINDINGS})"),
    ("--ledger", str, "PATH", "known failures (default: the shipped ledger)"),
)
_SWITCHES = (
    ("--no-corpus", "neither try nor keep interesting scenarios"),
    ("--no-confirm", "try what is found nowhere else"),
    ("--no-shrink", "keep what is found as it was drawn"),
    ("--statistics", "run nothing: say what such a campaign draws (default 2000 scenarios)"),
    ("--json", "print one JSON document and nothing else"),
)


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "fuzz", help="draw scenarios, compare, shrink, save", description=__doc__, epilog=_EPILOG
    )
    length = parser.add_mutually_exclusive_group()
    for name, kind, metavar, text in _OPTIONS:
        group = length if name in {"--scenarios", "--minutes"} else parser
        group.add_argument(name, metavar=metavar, type=kind, help=text)
    parser.add_argument(
        "-n", dest="workers", metavar="N", type=int, help="workers (default: one a core; 0: this process)"
    )
    for name, text in _SWITCHES:
        parser.add_argument(name, action="store_true", help=text)
    parser.set_defaults(run=fuzz)


def fuzz(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code of the campaign."""
    from pinproof.fuzz.session import hold

    return hold(_wishes(options))


def _wishes(options: argparse.Namespace) -> Wishes:
    from pinproof.errors import InputError, Problem
    from pinproof.fuzz.session import Wishes

    for name in ("scenarios", "minutes", "max_findings"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            raise InputError(
                f"--{name.replace('_', '-')}", Problem("", f"{value} is nothing to do; give a number above 0")
            )
    if options.workers is not None and options.workers < 0:
        raise InputError("-n", Problem("", f"there cannot be {options.workers} workers; 0 is this process alone"))
    return Wishes(
        subject=options.subject,
        default_subject=DEFAULT_SUBJECT,
        scenarios=options.scenarios,
        minutes=options.minutes,
        seed=options.seed,
        workers=options.workers,
        out=_path(options.out),
        corpus=_path(options.corpus),
        no_corpus=options.no_corpus,
        confirm=options.confirm,
        no_confirm=options.no_confirm,
        shrink=not options.no_shrink,
        max_findings=options.max_findings or MAX_FINDINGS,
        ledger=_path(options.ledger),
        statistics=options.statistics,
        as_json=options.json,
    )


def _path(text: str | None) -> Path | None:
    from pathlib import Path

    return Path(text) if text else None

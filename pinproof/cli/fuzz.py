"""`pinproof fuzz`: scenarios drawn at random, on a subject and on the reference; what differs is shrunk and kept."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from pinproof.fuzz.session import Wishes

DEFAULT_SUBJECT = "component:1.36.3"

_EPILOG = """\
Without --scenarios and --minutes it goes on until Ctrl-C, which keeps all that was found. With --out and a folder that
holds a campaign it goes on with that one. Exit codes: 0 nothing unexplained, 1 a finding, 2 bad input, 12 no subject,
130 interrupted.
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "fuzz", help="draw scenarios, compare, shrink, save", description=__doc__, epilog=_EPILOG
    )
    parser.add_argument("--subject", metavar="S", help=f"what to test (default {DEFAULT_SUBJECT})")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--scenarios", metavar="N", type=int, help="draw so many, those of an earlier part included")
    length.add_argument("--minutes", metavar="M", type=float, help="draw for so long")
    parser.add_argument("--seed", metavar="N", type=int, help="what is drawn (default: chance, and told)")
    parser.add_argument(
        "-n", dest="workers", metavar="N", type=int, help="workers (default: one a core; 0: this process)"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="where findings go; a campaign that is there goes on (default: new)"
    )
    parser.add_argument(
        "--corpus",
        metavar="DIR",
        help="interesting scenarios, replayed first (default: in the cache; with --seed: none)",
    )
    parser.add_argument("--no-corpus", action="store_true", help="neither replay nor keep interesting scenarios")
    parser.add_argument(
        "--confirm", metavar="S", help="try findings there too (default: the release's kubelet, if it is built)"
    )
    parser.add_argument("--no-confirm", action="store_true", help="do not")
    parser.add_argument("--no-shrink", action="store_true", help="keep findings as they were drawn")
    parser.add_argument(
        "--max-findings", metavar="N", type=int, default=50, help="stop drawing after so many (default 50)"
    )
    parser.add_argument("--ledger", metavar="PATH", help="known failures (default: the shipped ledger)")
    parser.add_argument("--statistics", action="store_true", help="say also where the time went and what was drawn")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
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
        max_findings=options.max_findings,
        ledger=_path(options.ledger),
        statistics=options.statistics,
        as_json=options.json,
    )


def _path(text: str | None) -> Path | None:
    from pathlib import Path

    return Path(text) if text else None

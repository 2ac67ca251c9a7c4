"""`pinproof doctor`: which subjects this machine can run, what is missing, how to get it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinproof.build.examination import Examination

UNUSABLE = 12
_SIGNS = {"ok": "ok     ", "note": "note   ", "missing": "MISSING"}


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "doctor", help="which subjects this machine can run, and what is missing", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(run=doctor)


def doctor(options: argparse.Namespace) -> int:
    """Run the command; returns 0 if the default subject can be run, else 12."""
    from pinproof.build.examination import examine

    found = examine()
    sys.stdout.write(as_json(found) if options.json else as_text(found))
    return 0 if found.default_usable else UNUSABLE


def as_json(found: Examination) -> str:
    """The document of `--json`."""
    from dataclasses import asdict

    return json.dumps({"apiVersion": "pinproof/v1alpha1", "kind": "Doctor", **asdict(found)}, indent=2) + "\n"


def as_text(found: Examination) -> str:
    """What a person reads: the checks, with remedies, then the subjects."""
    lines = []
    for check in found.checks:
        lines.append(f"{_SIGNS[check.state]} {check.name}: {check.detail}")
        if check.remedy:
            lines.append(f"        next: {check.remedy}")
    lines.append("")
    lines += [f"{'yes' if v.usable else 'no ':3} --subject {v.subject}: {v.reason}" for v in found.subjects]
    return "\n".join(lines) + "\n"

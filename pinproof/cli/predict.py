"""`pinproof predict`: what the reference says must happen; nothing is run."""

from __future__ import annotations

import argparse
from typing import Any

DEFAULT_MINOR = "1.36"


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "predict", help="the reference's history of a scenario, nothing run", description=__doc__
    )
    parser.add_argument("file", metavar="FILE", help="a scenario file")
    parser.add_argument(
        "--kubernetes", metavar="MINOR", default=DEFAULT_MINOR, help=f"whose behaviour (default {DEFAULT_MINOR})"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument("--notes", action="store_true", help="print how the reference came to each outcome as well")
    parser.set_defaults(run=predict)


def predict(options: argparse.Namespace) -> int:
    """Run the command; returns 0."""
    from pinproof.errors import InputError, Problem
    from pinproof.running.examine import predicted
    from pinproof.running.plain import plain, to_json
    from pinproof.running.releases import minor_of
    from pinproof.running.shown import shown
    from pinproof.scenario.reader import read_scenario

    scenario = read_scenario(options.file)
    try:
        minor = minor_of(options.kubernetes)
    except ValueError as error:
        raise InputError("--kubernetes", Problem("", str(error))) from None
    prediction = predicted(scenario, minor)
    if options.json:
        head = {"apiVersion": "pinproof/v1alpha1", "kind": "Prediction", "name": scenario.name, "kubernetes": minor}
        text = to_json(head | plain(prediction))
    else:
        several = len(prediction.histories) > 1
        parts = [
            (f"one of {len(prediction.histories)} allowed outcomes, number {number}:\n" if several else "")
            + shown(scenario, history, notes=options.notes)
            for number, history in enumerate(prediction.histories, start=1)
        ]
        text = "\n".join(parts)
    print(text, end="")
    return 0

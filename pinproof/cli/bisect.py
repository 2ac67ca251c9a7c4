"""`pinproof bisect`: the first of a list of releases or binaries that does something else with a scenario."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinproof.layers.bisecting import Bisection
    from pinproof.scenario.steps import Scenario

EXIT_DIFFERS = 1

_DESCRIPTION = f"""{__doc__}

The list is ordered; its first subject is the measure. Both ends are looked at first, then halves: with nine releases that
is five runs. Exit 0: nothing differs; 1: one does, and is named.
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bisect", help="since which of several releases a scenario turns out differently", description=_DESCRIPTION
    )
    parser.add_argument("file", metavar="FILE", help="a scenario file")
    parser.add_argument(
        "--subjects",
        metavar="S,S,…",
        required=True,
        help="in order, oldest first; component:1.29.6..1.37.1 is every release in between that is known",
    )
    parser.add_argument(
        "--by",
        choices=("history", "outcome"),
        default="history",
        help="compare all that is shown (default), or the judge's word: passed or failed",
    )
    parser.add_argument("--all", action="store_true", help="look at every one, and say whether it stays that way")
    parser.add_argument("--slow", metavar="N", type=float, help="stretch every wait")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(run=bisect)


def bisect(options: argparse.Namespace) -> int:
    """Run the command; returns 0 where nothing differs, 1 where something does."""
    from functools import partial

    from pinproof.layers.bisecting import Bisector
    from pinproof.layers.ranges import subjects_of
    from pinproof.running.plain import to_json
    from pinproof.scenario.reader import read_scenario
    from pinproof.subjects.registry import open_subject

    scenario, subjects = read_scenario(options.file), subjects_of(options.subjects)
    bisector = Bisector(scenario, subjects, by=options.by, open_=partial(open_subject, slow=options.slow))
    result = bisector.search(everything=options.all)
    code = 0 if result.first is None else EXIT_DIFFERS
    answer = to_json(_document(result, options.file, code)) if options.json else _text(result, scenario)
    print(answer, end="")
    return code


def _text(result: Bisection, scenario: Scenario) -> str:
    from pinproof.layers.rendering import told
    from pinproof.layers.switches import sentence

    width = max(map(len, result.subjects))
    lines = [f"{name:<{width}}  {_word(result, position)}" for position, name in enumerate(result.subjects)]
    if result.first is None:
        return "\n".join([*lines, "nothing differs"]) + "\n"
    lines.append(f"first that differs: {result.subjects[result.first]}")
    lines += [f"    {line}" for line in told(result.differences, scenario)]
    lines += [f"  explained by {effect.switch}: {sentence(effect.switch)}." for effect in result.switches]
    if not result.monotonic:
        lines.append("it does not stay that way: a later one is as the first again")
    return "\n".join(lines) + "\n"


def _word(result: Bisection, position: int) -> str:
    if position not in result.differs:
        return "the measure" if position in result.looks else "not looked at"
    word = "differs" if result.differs[position] else "as the first"
    outcome = result.looks[position].outcome
    return f"{word}: {outcome}" if outcome else word


def _document(result: Bisection, file: str, code: int) -> dict[str, Any]:
    from pinproof.layers.rendering import documents

    return {
        "apiVersion": "pinproof/v1alpha1",
        "kind": "Bisection",
        "file": file,
        "by": result.by,
        "subjects": [{"name": name, "is": _word(result, position)} for position, name in enumerate(result.subjects)],
        "firstDifferent": None if result.first is None else result.subjects[result.first],
        "monotonic": result.monotonic,
        "differences": documents(result.differences),
        "switches": [effect.switch for effect in result.switches],
        "exitCode": code,
    }

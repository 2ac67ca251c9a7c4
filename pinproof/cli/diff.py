"""`pinproof diff`: which scenarios change their outcome between two subjects or releases, and which switch explains it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinproof.layers.diffing import Comparison, Differ
    from pinproof.scenario.steps import Scenario

EXIT_FINDING = 1
EXIT_INCOMPLETE = 10


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "diff",
        help="what differs between two subjects or releases, and why",
        description=f"{__doc__} Exit 0: every difference is explained; 1: one is not; 10: not everything was seen.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="a scenario file, or a folder of them")
    parser.add_argument("--scenarios", metavar="N", type=int, help="draw so many scenarios instead")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of the draw (default 1)")
    parser.add_argument("--from", dest="old", metavar="S", required=True, help="a subject, such as reference:1.31")
    parser.add_argument("--to", dest="new", metavar="S", required=True, help="another, such as reference:1.32")
    parser.add_argument("--only", metavar="FIELDS", default="", help="compare these alone, such as pods,assignments")
    parser.add_argument("--out", metavar="DIR", help="save the smallest scenario of every group, and the findings")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(run=diff)


def diff(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    from contextlib import ExitStack, closing
    from pathlib import Path

    from pinproof.layers.answers import Side
    from pinproof.layers.diffing import Differ
    from pinproof.layers.rendering import save_examples
    from pinproof.layers.selection import chosen
    from pinproof.subjects.registry import open_subject

    only = _fields(options.only)
    with ExitStack() as stack:
        old, new = (Side(stack.enter_context(closing(open_subject(spec)))) for spec in (options.old, options.new))
        scenarios = chosen(options.files, options.scenarios, seed=options.seed, sides=(old, new))
        result = _compared(Differ(old, new, only=only), scenarios, of=options.scenarios)
    files = save_examples(result, Path(options.out)) if options.out else {}
    code = _code(result)
    _tell(options, result, files, code)
    return code


def _compared(differ: Differ, scenarios: Iterable[Scenario], *, of: int | None) -> Comparison:
    """Everything, with a sign of life now and then."""
    from pinproof.layers.progress import Pace

    pace = Pace("diff", of)
    for scenario in scenarios:
        differ.add(scenario)
        pace.step(lambda: f"{differ.result.differing} differ, {len(differ.result.unexplained)} unexplained")
    pace.end()
    return differ.result


def _fields(given: str) -> frozenset[str]:
    from pinproof.errors import InputError, Problem
    from pinproof.judge.compare import COMPARED

    names = frozenset(filter(None, (name.strip() for name in given.split(","))))
    unknown = sorted(names - set(COMPARED))
    if unknown:
        raise InputError("--only", Problem("", f"no field {', '.join(unknown)}; there are {', '.join(COMPARED)}"))
    return names


def _code(result: Comparison) -> int:
    if result.unexplained:
        return EXIT_FINDING
    ran = result.scenarios - sum(result.inapplicable.values())
    return EXIT_INCOMPLETE if result.incomplete or not ran else 0


def _tell(options: argparse.Namespace, result: Comparison, files: Any, code: int) -> None:
    from pinproof.layers.rendering import document, text
    from pinproof.running.plain import to_json

    if options.json:
        head = {"apiVersion": "pinproof/v1alpha1", "kind": "Diff"}
        answer = to_json(head | document(result, files=files) | {"exitCode": code})
    else:
        answer = text(result, files=files)
    print(answer, end="")  # noqa: T201  # the command's answer

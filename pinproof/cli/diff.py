"""`pinproof diff`: which scenarios change their outcome between two subjects or releases, and which switch explains it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pinproof.cli.many import EXIT_INTERRUPTED, add_workers, place, to_the_end

if TYPE_CHECKING:
    from pathlib import Path

    from pinproof.layers.diffing import Comparison, Look
    from pinproof.layers.keeping import Folder

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
    add_workers(parser)
    parser.add_argument("--out", metavar="DIR", help="save findings and the smallest of every group, as they are met")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(run=diff)


def diff(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    from pinproof.layers.diffing import Comparison, Differ
    from pinproof.layers.keeping import Folder
    from pinproof.layers.running import alone, look_at, side_by_side
    from pinproof.layers.seats import diff_seat, opened
    from pinproof.layers.selection import chosen
    from pinproof.subjects.registry import closing_seconds

    only, folder = _fields(options.only), Folder(place(options.out), "diff")
    with opened((options.old, options.new)) as sides:
        result = Comparison(sides[0].name, sides[1].name)
        follower = _Follower(result, folder, of=options.scenarios)
        scenarios = chosen(options.files, options.scenarios, seed=options.seed, sides=sides)
        seat = partial(diff_seat, options.old, options.new, only)
        grace = closing_seconds(options.old, options.new)
        crew = (
            side_by_side(seat, options.workers, grace=grace)
            if options.workers
            else alone(Differ(*sides, only=only).look)
        )
        with to_the_end(follower.end) as ended:
            look_at(scenarios, crew, heard=follower.heard, count=follower.count)
    code = _code(result) if ended() else EXIT_INTERRUPTED
    _tell(options, result, folder.files, code)
    return code


class _Follower:
    """Keeps what is heard of, counts it, and gives a sign of life now and then."""

    def __init__(self, result: Comparison, folder: Folder, *, of: int | None) -> None:
        from pinproof.layers.progress import Pace

        self._result, self._folder, self._pace = result, folder, Pace("diff", of)

    def heard(self, look: Look) -> None:
        from pinproof.layers.diffing import Differing
        from pinproof.layers.looks import Incomplete

        if isinstance(look, Differing) and look.unexplained:
            self._folder.finding(look.unexplained)
        elif isinstance(look, Incomplete):
            self._folder.incomplete(look)

    def count(self, look: Look) -> None:
        from pinproof.layers.diffing import Differing

        self._result.add(look)
        for effect in look.effects if isinstance(look, Differing) else ():
            smallest = self._result.groups[effect.switch].smallest
            if isinstance(look, Differing) and smallest is look.scenario:
                self._folder.example(effect.switch, smallest)
        self._folder.account(self._document)
        self._pace.step(lambda: f"{self._result.differing} differ, {len(self._result.unexplained)} unexplained")

    def end(self, *, finished: bool) -> None:
        self._pace.end()
        self._folder.account(self._document, finished=finished, last=True)

    def _document(self, files: Mapping[str, Path]) -> dict[str, Any]:
        from pinproof.layers.rendering import document

        return _HEAD | document(self._result, files=files)


_HEAD = {"apiVersion": "pinproof/v1alpha1", "kind": "Diff"}


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


def _tell(options: argparse.Namespace, result: Comparison, files: Mapping[str, Path], code: int) -> None:
    from pinproof.layers.rendering import document, text
    from pinproof.running.plain import to_json

    data = _HEAD | document(result, files=files) | {"exitCode": code}
    answer = to_json(data) if options.json else text(result, files=files)
    print(answer, end="")

"""`pinproof layers`: the same scenarios through reference, component, kubelet or cluster; the first pair that disagrees."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pinproof.cli.many import EXIT_INTERRUPTED, add_workers, place, to_the_end

if TYPE_CHECKING:
    from pathlib import Path

    from pinproof.layers.keeping import Folder
    from pinproof.layers.parting import Account, Look

DEFAULT_RELEASE = "1.36.3"
EXIT_FINDING = 1
EXIT_INCOMPLETE = 10


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "layers",
        help="reference, component and kubelet on the same scenarios: where they part",
        description=f"{__doc__} Exit 0: all agree; 1: two part; 10: not everything was seen.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="a scenario file, or a folder of them")
    parser.add_argument("--scenarios", metavar="N", type=int, help="draw so many scenarios instead")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of the draw (default 1)")
    parser.add_argument(
        "--topology", metavar="NAME", help="draw them for this machine (default: machines are drawn too)"
    )
    parser.add_argument(
        "--kubernetes",
        metavar="WHAT",
        default=DEFAULT_RELEASE,
        help=f"a release or source tree, whose component and kubelet are taken (default {DEFAULT_RELEASE})",
    )
    parser.add_argument(
        "--subject", metavar="S", action="append", help="these on top of the reference instead, from the inside out"
    )
    add_workers(parser)
    parser.add_argument("--slow", metavar="N", type=float, help="stretch every wait")
    parser.add_argument("--out", metavar="DIR", help="save the scenarios over which they part, as they are met")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(run=layers)


def layers(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    from pinproof.layers.keeping import Folder
    from pinproof.layers.parting import Account, Layers
    from pinproof.layers.running import alone, look_at, side_by_side
    from pinproof.layers.seats import layers_seat, on_reference, opened
    from pinproof.layers.selection import chosen
    from pinproof.scenario.topologies import machine
    from pinproof.subjects.registry import closing_seconds

    specs = options.subject or [f"component:{options.kubernetes}", f"kubelet:{options.kubernetes}"]
    folder = Folder(place(options.out), "layers")
    with opened(specs, options.slow) as tested:
        sides = on_reference(tested)
        account = Account(tuple(side.name for side in sides))
        follower = _Follower(account, folder, of=options.scenarios)
        shape = machine(options.topology) if options.topology else None
        scenarios = chosen(options.files, options.scenarios, seed=options.seed, sides=sides, machine=shape)
        seat = partial(layers_seat, specs, options.slow)
        grace = closing_seconds(*specs)
        crew = side_by_side(seat, options.workers, grace=grace) if options.workers else alone(Layers(sides).look)
        with to_the_end(follower.end) as ended:
            look_at(scenarios, crew, heard=follower.heard, count=follower.count)
    code = _code(account) if ended() else EXIT_INTERRUPTED
    _tell(options, account, folder.files, code)
    return code


class _Follower:
    """Keeps what is heard of, counts it, and gives a sign of life now and then."""

    def __init__(self, account: Account, folder: Folder, *, of: int | None) -> None:
        from pinproof.layers.progress import Pace

        self._account, self._folder, self._pace = account, folder, Pace("layers", of)

    def heard(self, look: Look) -> None:
        from pinproof.layers.looks import Incomplete
        from pinproof.layers.parting import Parting

        if isinstance(look, Parting):
            self._folder.finding(look, look.artefacts)
        elif isinstance(look, Incomplete):
            self._folder.incomplete(look)

    def count(self, look: Look) -> None:
        self._account.add(look)
        self._folder.account(self._document)
        self._pace.step(lambda: f"{self._account.agreed} agreed, {len(self._account.partings)} part")

    def end(self, *, finished: bool) -> None:
        self._pace.end()
        self._folder.account(self._document, finished=finished, last=True)

    def _document(self, files: Mapping[str, Path]) -> dict[str, Any]:
        from pinproof.layers.rendering import account_document

        return _HEAD | account_document(self._account, files=files)


_HEAD = {"apiVersion": "pinproof/v1alpha1", "kind": "Layers"}


def _code(account: Account) -> int:
    if account.partings:
        return EXIT_FINDING
    return EXIT_INCOMPLETE if account.incomplete or not account.agreed else 0


def _tell(options: argparse.Namespace, account: Account, files: Mapping[str, Path], code: int) -> None:
    from pinproof.layers.rendering import account_document, account_text
    from pinproof.running.plain import to_json

    if options.json:
        answer = to_json(_HEAD | account_document(account, files=files) | {"exitCode": code})
    else:
        answer = account_text(account, files=files)
    print(answer, end="")

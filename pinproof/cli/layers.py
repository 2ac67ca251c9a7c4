"""`pinproof layers`: the same scenarios through reference, component and kubelet; the first pair that disagrees is named."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack

    from pinproof.layers.answers import Side
    from pinproof.layers.parting import Account, Layers
    from pinproof.scenario.steps import Scenario

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
        "--kubernetes",
        metavar="WHAT",
        default=DEFAULT_RELEASE,
        help=f"a release or source tree, whose component and kubelet are taken (default {DEFAULT_RELEASE})",
    )
    parser.add_argument(
        "--subject", metavar="S", action="append", help="these on top of the reference instead, from the inside out"
    )
    parser.add_argument("--slow", metavar="N", type=float, help="stretch every wait")
    parser.add_argument("--out", metavar="DIR", help="save the scenarios over which they part")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(run=layers)


def layers(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    from contextlib import ExitStack
    from pathlib import Path

    from pinproof.layers.parting import Layers
    from pinproof.layers.rendering import save_partings
    from pinproof.layers.selection import chosen

    with ExitStack() as stack:
        sides = _sides(options, stack)
        scenarios = chosen(options.files, options.scenarios, seed=options.seed, sides=sides)
        account = _run(Layers(sides), scenarios, of=options.scenarios)
    files = save_partings(account, Path(options.out)) if options.out else {}
    code = _code(account)
    _tell(options, account, files, code)
    return code


def _sides(options: argparse.Namespace, stack: ExitStack) -> list[Side]:
    """The reference of what is tested, and what is tested."""
    from contextlib import closing

    from pinproof.layers.answers import Side
    from pinproof.subjects.reference import ReferenceSubject
    from pinproof.subjects.registry import open_subject

    specs = options.subject or [f"component:{options.kubernetes}", f"kubelet:{options.kubernetes}"]
    tested = [Side(stack.enter_context(closing(open_subject(spec, slow=options.slow)))) for spec in specs]
    return [Side(ReferenceSubject(tested[0].minor)), *tested]


def _run(layers: Layers, scenarios: Iterable[Scenario], *, of: int | None) -> Account:
    """Everything, with a sign of life now and then."""
    from pinproof.layers.progress import Pace

    pace = Pace("layers", of)
    for scenario in scenarios:
        layers.add(scenario)
        pace.step(lambda: f"{layers.account.agreed} agreed, {len(layers.account.partings)} part")
    pace.end()
    return layers.account


def _code(account: Account) -> int:
    if account.partings:
        return EXIT_FINDING
    return EXIT_INCOMPLETE if account.incomplete or not account.agreed else 0


def _tell(options: argparse.Namespace, account: Account, files: Any, code: int) -> None:
    from pinproof.layers.rendering import account_document, account_text
    from pinproof.running.plain import to_json

    if options.json:
        head = {"apiVersion": "pinproof/v1alpha1", "kind": "Layers"}
        answer = to_json(head | account_document(account, files=files) | {"exitCode": code})
    else:
        answer = account_text(account, files=files)
    print(answer, end="")  # noqa: T201  # the command's answer

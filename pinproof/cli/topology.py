"""`pinproof topology`: the machines pinproof knows, and a user's own machine as a file."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinproof.importer import Imported

Subparsers = Any
"""What `ArgumentParser.add_subparsers` gives; argparse has no public name for it."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("topology", help="list machine shapes, or make a file of a real machine")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the machine shapes that come with pinproof")
    listing.add_argument("--json", action="store_true", help="print one JSON document")
    listing.set_defaults(run=run_list)
    importing = commands.add_parser(
        "import", help="make a topology file of this machine, a copied /sys or an lstopo XML"
    )
    source = importing.add_mutually_exclusive_group()
    source.add_argument(
        "--sys", type=Path, default=Path("/sys"), metavar="DIR", help="a directory like /sys (the default)"
    )
    source.add_argument("--lstopo", type=Path, metavar="FILE", help="XML written by lstopo --of xml")
    importing.add_argument("--name", help="name of the machine (default: that of the output file, or machine)")
    importing.add_argument("--output", type=Path, metavar="FILE", help="file to write (default: standard output)")
    importing.set_defaults(run=run_import)


def run_list(arguments: argparse.Namespace) -> int:
    """Print the known machine shapes."""
    from pinproof.scenario.quantity import Quantity
    from pinproof.scenario.topologies import machine, names

    rows = [
        {
            "name": name,
            "nodes": len(machine(name).nodes),
            "cpus": len(machine(name).cpus),
            "memory": str(Quantity.of_bytes(machine(name).memory)),
            "provenance": machine(name).provenance,
        }
        for name in names()
    ]
    if arguments.json:
        import json

        document = {"apiVersion": "pinproof/v1alpha1", "kind": "TopologyList", "items": rows}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return 0
    lines = [f"{'NAME':20}{'NODES':>6}{'CPUS':>6}{'MEMORY':>10}  FROM"]
    for row in rows:
        about = textwrap.shorten(str(row["provenance"]), width=76, placeholder=" …")
        lines.append(f"{row['name']:20}{row['nodes']:>6}{row['cpus']:>6}{row['memory']:>10}  {about}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def run_import(arguments: argparse.Namespace) -> int:
    """Write the topology file of a machine."""
    from pinproof.errors import InputError, Problem
    from pinproof.scenario.topologies import parse_machine
    from pinproof.scenario.writer import write_machine

    output: Path | None = arguments.output
    name = arguments.name or (output.stem if output else "machine")
    imported = _import(arguments, name)
    text = write_machine(imported.machine)
    parse_machine(text, source=str(arguments.lstopo or arguments.sys))
    text = "".join(f"# {note}\n" for note in imported.notes) + text
    sys.stderr.write("".join(f"note: {note}\n" for note in imported.notes))
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(output), Problem("", f"cannot be written: {error.strerror or error}")) from None
    sys.stdout.write(f"wrote {output}; a scenario takes the path, relative to itself, as its topology\n")
    return 0


def _import(arguments: argparse.Namespace, name: str) -> Imported:
    if arguments.lstopo is not None:
        from pinproof.importer.lstopo import import_lstopo

        return import_lstopo(arguments.lstopo, name=name)
    from pinproof.importer.sysfs import import_sysfs

    return import_sysfs(arguments.sys, name=name)

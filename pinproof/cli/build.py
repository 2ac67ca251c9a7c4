"""`pinproof build`: builds a kubelet, or the component driver, of a release, a source tree or a patch; prints where it is."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "build", help="build a kubelet or a component driver of a release, a source tree, a patch", description=__doc__
    )
    parser.add_argument("what", choices=["kubelet", "component"], help="the kubelet, or the managers alone")
    parser.add_argument("source", metavar="VERSION|TREE", help="a release such as 1.36.3, or a kubernetes source tree")
    parser.add_argument(
        "--patch",
        metavar="FILE",
        dest="patches",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="a git-style diff against kubernetes/kubernetes, such as a pull request's .patch; applied to a copy",
    )
    parser.add_argument("--output", metavar="PATH", type=Path, help="where to put the binary (default: the cache)")
    parser.add_argument(
        "--go-flags", metavar="FLAGS", default="", help="flags for go build, such as --go-flags='-race -tags=x'"
    )
    parser.set_defaults(run=build)


def build(options: argparse.Namespace) -> int:
    """Run the command; returns 0."""
    from pinproof.build import component, kubelet
    from pinproof.errors import InputError, Problem

    try:
        flags = shlex.split(options.go_flags)
    except ValueError as error:
        raise InputError("--go-flags", Problem("", f"{error}: quote it as for a shell")) from None
    make = component if options.what == "component" else kubelet
    built = make(options.source, patches=options.patches, go_flags=flags, output=options.output)
    sys.stdout.write(f"{built}\n")
    return 0

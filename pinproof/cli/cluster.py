"""`pinproof cluster manifests`: what a run on a cluster needs, for its administrator: a namespace, and rights."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "cluster", help="the manifests for runs on a cluster", description=__doc__
    )
    parser.add_argument("what", choices=["manifests"], help="the namespace, the rights, and to whom they are given")
    parser.set_defaults(run=cluster)


def cluster(options: argparse.Namespace) -> int:
    """Run the command; returns 0."""
    from pinproof.subjects.cluster.access import manifests

    del options  # there is one thing to say
    sys.stdout.write(manifests())
    return 0

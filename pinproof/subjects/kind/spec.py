"""What follows `kind:` on the command line. Pure.

1.36.3                              nodes of that release, its own kubelet
1.36.3?kubelet=1.32.2               another kubelet on the workers: a release, a source tree or a binary
1.36.3?image=kindest/node:v1.36.3   a node image from a registry instead of one built here
1.36.3?workers=4                    so many workers; else one for each process of the run
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pinproof.errors import InputError, Problem
from pinproof.subjects.query import options

USAGE = "kind:VERSION[?kubelet=VERSION|TREE|BINARY][&image=IMAGE][&workers=N]"
MOST_WORKERS = 16

_OPTIONS = ("kubelet", "image", "workers")
_RELEASE = re.compile(r"v?(1\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)")


@dataclass(frozen=True, slots=True)
class Spec:
    """A cluster, and the kubelet under test on it."""

    version: str
    """Release of the control plane and of the nodes: `1.36.3`."""

    kubelet: str = ""
    """What the workers run instead of the image's own kubelet: a release, a tree or a binary; empty for none."""

    image: str = ""
    """Node image from a registry; empty for one that is built here."""

    workers: int | None = None


def parse(text: str) -> Spec:
    """Read it. Raises InputError with everything that is wrong."""
    version, _, query = text.partition("?")
    problems = []
    found = _RELEASE.fullmatch(version)
    if found is None:
        problems.append(Problem("", f"{version!r} is not a release; {USAGE}, for example kind:1.36.3"))
    given = options(query, _OPTIONS, USAGE, problems)
    workers = _workers(given.get("workers", ""), problems)
    if problems or found is None:
        raise InputError(f"kind:{text}", *problems)
    return Spec(found[1], given.get("kubelet", ""), given.get("image", ""), workers)


def _workers(text: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    if text.isdecimal() and 0 < int(text) <= MOST_WORKERS:
        return int(text)
    problems.append(Problem("?workers", f"{text!r} is not a number from 1 to {MOST_WORKERS}"))
    return None

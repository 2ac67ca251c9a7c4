"""What commands that look at many scenarios have in common: processes, a folder, an end that may come early."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

EXIT_INTERRUPTED = 130


class End(Protocol):
    """Told in the end."""

    def __call__(self, *, finished: bool) -> None:
        """`finished`: all scenarios were looked at."""


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Declare the option `-n`."""
    parser.add_argument(
        "-n",
        dest="workers",
        metavar="N",
        type=_workers,
        default=0,
        help="processes, each with subjects of its own (default 0: this process alone)",
    )


def _workers(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
    return int(text)


def place(text: str | None) -> Path | None:
    """The folder of `--out`."""
    from pathlib import Path

    return Path(text) if text else None


@contextmanager
def to_the_end(end: End) -> Iterator[Callable[[], bool]]:
    """Ctrl-C inside is an early end and no error; afterwards the answer is whether there was none."""
    finished = False
    try:
        yield lambda: finished
        finished = True
    except KeyboardInterrupt:
        sys.stderr.write("pinproof: interrupted; what was found so far:\n")
    finally:
        end(finished=finished)

"""The command `pinproof`: finds the command that was meant and turns its errors into one message and an exit code.

Every command is a module of its own that says what it takes (`add_parser`) and imports what it needs when it runs, so
that `pinproof --help` is quick.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import pinproof
from pinproof.errors import PinproofError

COMMANDS = (
    "run",
    "fuzz",
    "replay",
    "predict",
    "permute",
    "layers",
    "diff",
    "bisect",
    "catalogue",
    "build",
    "cluster",
    "checkpoints",
    "topology",
    "doctor",
)

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class UsageError(PinproofError):
    """The command line cannot be understood."""

    exit_code = EXIT_USAGE


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, with what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the whole usage."""
        raise UsageError(f"{message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _clearing_up_when_terminated():
            return _dispatch(given)
    except PinproofError as error:
        print(f"pinproof: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("pinproof: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain again while it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


@contextmanager
def _clearing_up_when_terminated() -> Iterator[None]:
    """SIGTERM, as `timeout` and CI systems send it, is taken like Ctrl-C: what was begun is cleared up first."""

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # clearing up has begun
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield  # somebody else sees to it
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _dispatch(given: list[str]) -> int:
    if given[:1] == ["run"] and not {"-h", "--help"} & set(given):
        # Everything that follows is pytest's, so nothing here may take it apart.
        from pinproof.cli.run import run_suites

        return run_suites(given[1:])
    parser, commands = make_parser()
    if not given:
        parser.print_help()
        return EXIT_USAGE
    if not given[0].startswith("-") and given[0] not in commands:
        raise UsageError(
            f"there is no command {given[0]!r}{meant(given[0], commands)}; there are {', '.join(commands)}"
        )
    options, unknown = parser.parse_known_args(given)
    if unknown:
        known = commands[given[0]]._option_string_actions  # noqa: SLF001  # argparse has no public list
        raise UsageError(f"{given[0]} does not take {' '.join(unknown)}{meant(unknown[0], known)}")
    code: int = options.run(options)
    return code


def make_parser() -> tuple[Parser, dict[str, argparse.ArgumentParser]]:
    """The parser of everything, and that of each command."""
    parser = Parser(
        prog="pinproof",
        description="Proof that a kubelet pins memory the way Kubernetes promises.",
        epilog="exit codes: 0 passed, 1 failed, 2 bad input, 10 no verdict, 11 stale ledger, 12 no subject, 130 interrupted",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"pinproof {pinproof.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for name in COMMANDS:
        importlib.import_module(f"pinproof.cli.{name}").add_parser(commands)
    for command in commands.choices.values():
        command.allow_abbrev = False
    return parser, dict(commands.choices)


def meant(word: str, known: Iterable[str]) -> str:
    """A suggestion to go behind an error, empty when nothing is near."""
    near = difflib.get_close_matches(word.partition("=")[0], list(known), n=1)
    return f", did you mean {near[0]}?" if near else ""

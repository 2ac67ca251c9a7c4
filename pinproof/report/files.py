"""The report's files, and the folder that they lie in.

A run claims its folder first, so that two runs cannot mix their results there, and writes at its end. Every file
appears whole or not at all: it is written beside its place and renamed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from pinproof.errors import InputError, Problem
from pinproof.report.document import ReportDocument, document_of, to_json
from pinproof.report.html import html
from pinproof.report.markdown import markdown
from pinproof.report.result import RunResult

LOCK = ".pinproof.lock"
"""Held by the run that writes into the folder; stays behind, unlocked, so that nobody deletes another's lock."""


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """Where the report lies."""

    json: Path
    markdown: Path
    html: Path


@contextmanager
def claim(directory: Path) -> Iterator[Path]:
    """Make the output folder if need be and keep other runs out of it; the kernel lets go if the process is killed.

    Raises:
        InputError: the folder cannot be written, or another run uses it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise InputError(
            f"--out {directory}", Problem("", "another run writes there; wait for its end or name another folder")
        ) from None
    except OSError as error:
        raise _unwritable(directory, error) from None
    try:
        yield directory
    finally:
        lock.release()


def write_report(directory: Path, run: RunResult) -> ReportPaths:
    """Write `report.json`, `report.md` and `report.html`.

    Raises:
        InputError: the folder cannot be written.
    """
    paths = ReportPaths(directory / "report.json", directory / "report.md", directory / "report.html")
    texts = {paths.markdown: markdown(run), paths.html: html(run), paths.json: to_json(document_of(run))}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            _write(path, text)
    except OSError as error:
        raise _unwritable(directory, error) from None
    return paths


def read_report(path: Path) -> ReportDocument:
    """Read a `report.json`.

    Raises:
        InputError: it cannot be read or is not a report; all problems at once.
    """
    try:
        return ReportDocument.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(str(path), Problem("", f"cannot be read: {error.strerror}")) from None
    except ValidationError as error:
        problems = (Problem(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
        raise InputError(str(path), *problems) from None


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def _unwritable(directory: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(f"--out {directory}", Problem("", f"cannot be written: {reason}; name a folder that is yours"))

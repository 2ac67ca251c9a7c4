"""Why a kubelet ended: read from its log. Pure.

A kubelet that refuses a configuration or a state file logs one error and exits with code 1. A Go panic or a signal is
something else, and a verdict must not mistake one for the other, so an `Ending` keeps them apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pinproof.errors import SubjectError

_LINE = re.compile(r"^[EF]\d{4} \S+ +\d+ \S+\] (?P<rest>.*)$")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MESSAGE = re.compile(rf"^(?P<message>{_QUOTED})")
_ERROR = re.compile(rf"\berr=(?P<quoted>{_QUOTED})")
_BLOCK = re.compile(r"\berr=<$")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)")
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_DRAFT = re.compile(r"(?<=/)\.\d+(?= )")
"""The file without name in which a kubelet writes a new text: a dot and a random number."""

_STARVED = "too many open files"

_LAST_WORDS = ("command failed", "Failed to start ContainerManager")
"""Messages that a kubelet logs right before it exits on purpose; `err` beside them is the reason."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a kubelet process ended."""

    kind: Literal["stopped", "refused", "panicked", "killed", "crashed"]
    """Ended with code 0; by its own decision; by a Go panic or fatal error; by a signal from outside; by ours, at a point."""

    message: str
    """The reason in the kubelet's own words, unquoted; for a signal, which one."""

    @property
    def refusal(self) -> str | None:
        """What a history says: a kubelet that we killed has refused nothing."""
        return None if self.kind == "crashed" else self.message


def ending(log: str, *, code: int | None, signal: int | None = None) -> Ending:
    """Read the end of a kubelet's log; `code` and `signal` are how the process ended."""
    panic = _panic(log)
    if panic:
        return Ending("panicked", panic)
    if signal:
        return Ending("killed", f"signal {signal}; last words: {_last_line(log)}")
    if code == 0:
        return Ending("stopped", "")
    return Ending("refused", _DRAFT.sub(".TEMP", _reason(log.splitlines())))


def starved(ended: Ending) -> SubjectError | None:
    """The error where a kubelet ended because this machine has given out what all kubelets on it share; that is no verdict."""
    if ended.kind != "refused" or _STARVED not in ended.message:
        return None
    return SubjectError(
        "run the kubelet",
        ended.message,
        fault="this machine: inotify instances (or open files) are used up, which all kubelets and clusters here share",
        remedy="end other clusters and runs, use fewer workers, or: sudo sysctl -w fs.inotify.max_user_instances=1024",
    )


def unquote(text: str) -> str:
    """Undo Go's `strconv.Quote`; a text without quotes is returned as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return _ESCAPE.sub(_unescape, text[1:-1])


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code.isdigit():
        return chr(int(code, 8))
    return _SIMPLE.get(code, code)


def _reason(lines: list[str]) -> str:
    """The error beside the last words, else the last error logged, else the last line."""
    errors = [found for number, line in enumerate(lines) if (found := _error(lines, number, line))]
    for message, error in reversed(errors):
        if message in _LAST_WORDS:
            return error
    if errors:
        message, error = errors[-1]
        return f"{message}: {error}" if error else message
    return _last_line("\n".join(lines))


def _error(lines: list[str], number: int, line: str) -> tuple[str, str] | None:
    """Message and error of a klog error line, or None for any other line."""
    found = _LINE.match(line)
    if not found:
        return None
    rest = found["rest"]
    message = _MESSAGE.match(rest)
    quoted = _ERROR.search(rest)
    if quoted:
        error = unquote(quoted["quoted"])
    elif _BLOCK.search(rest):
        error = _block(lines[number + 1 :])
    else:
        error = ""
    return (unquote(message["message"]) if message else rest), error


def _block(lines: list[str]) -> str:
    """An error of several lines: indented by a tab, ended by ` >`."""
    taken = []
    for line in lines:
        if not line.startswith("\t"):
            break
        taken.append(line[1:])
    return "\n".join(taken)


def _panic(log: str) -> str:
    """The text of a Go panic or runtime fatal error; empty if there was none."""
    found = re.search(r"^(panic: |fatal error: |unexpected fault address )(?P<text>.*)$", log, re.MULTILINE)
    if not found or not re.search(r"^goroutine \d+", log[found.start() :], re.MULTILINE):
        return ""
    return found[0].removesuffix(" [recovered]")


def _last_line(log: str) -> str:
    return next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "it logged nothing")

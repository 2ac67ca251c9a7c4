"""What can go wrong outside a scenario, by whose fault it is.

Two families, so that a caller can catch one of them:

* `InputError` — what the user gave is wrong: a file, an option, a topology. Exit code 2.
* `SubjectError` — what the user asked to be tested cannot be built or started. Exit code 12. It says which step failed,
  whose fault that likely is, and the next command.

A refusal that Kubernetes itself promises (a rejected pod, a kubelet that does not start on a foreign state file) is never
an exception here: it is part of a history. Anything else that escapes is a bug of pinproof.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class PinproofError(Exception):
    """Base of every expected error; the command line prints it in one message and ends with `exit_code`."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input."""

    path: str
    """Where: a path inside the document such as `topology.nodes[1].memory`; empty for the whole of it."""

    message: str
    """What is wrong, and what would be right."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InputError(PinproofError):
    """A file, option or value that the user gave cannot be used. Carries all problems of the input at once."""

    exit_code = 2

    def __init__(self, source: str, *problems: Problem) -> None:
        self.source = source
        self.problems = problems
        super().__init__(str(self))

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self.source}: {self.problems[0]}"
        return "\n".join([f"{self.source}: {len(self.problems)} problems", *(f"  {p}" for p in self.problems)])


class SubjectError(PinproofError):
    """The subject could not be built, started or kept alive for a reason outside the scenario."""

    exit_code = 12

    def __init__(self, step: str, message: str, *, fault: str, remedy: str) -> None:
        self.step = step
        self.message = message
        self.fault = fault
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.step}: {self.message}\n  likely at fault: {self.fault}\n  next: {self.remedy}"


class CaptureError(SubjectError):
    """An observation could not be completed; what was seen until then is kept, the verdict is `unknown`. Exit code 10."""

    exit_code = 10


@contextmanager
def bugs_told(step: str, *, remedy: str, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Whatever is raised becomes a SubjectError that calls it a bug, in a process whose tracebacks nobody sees.

    An expected error stays what it is, and so does what the caller expects (`but`).
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (PinproofError, *but)):
            raise
        raise SubjectError(
            step,
            f"{type(error).__name__}: {error}\n{traceback.format_exc()}",
            fault="pinproof: this is a bug of it",
            remedy=remedy,
        ) from error

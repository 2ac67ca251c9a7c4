"""How a case ended, from what it raised and what its scenarios showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pinproof.errors import CaptureError, SubjectError
from pinproof.history import Outcome
from pinproof.judge.render import one_line, render
from pinproof.running.examine import Proof
from pinproof.running.seen import NotObservableError

HANG = "Timeout ("
"""How the message of pytest-timeout begins."""


@dataclass(frozen=True, slots=True)
class End:
    """How a case ended."""

    outcome: Outcome
    message: str = ""
    """What decided it, in words."""

    plain: bool = False
    """The message says everything: a traceback would only show pinproof's own inside."""


class FoundError(AssertionError):
    """The literal assertions of a case hold, but the judge found something."""


def end_of(raised: BaseException | None, proofs: Sequence[Proof]) -> End:
    """How a case ended that raised this, or nothing."""
    match raised:
        case None:
            return End("passed")
        case NotObservableError():
            return End("not_applicable", str(raised), plain=True)
        case SubjectError():
            outcome: Outcome = "unknown" if isinstance(raised, CaptureError) or proofs else "not_run"
            return End(outcome, str(raised), plain=True)
        case FoundError():
            return End("failed", str(raised), plain=True)
        case pytest.fail.Exception() if str(raised).startswith(HANG):
            return End("unknown", f"{raised}\nthe subject did not answer, or a wait has no end", plain=False)
        case AssertionError() | pytest.fail.Exception():
            return End("failed", str(raised))
        case pytest.skip.Exception():
            return End("not_run", f"skipped: {raised}; a case may not skip itself")
        case _:
            return End("error", f"{type(raised).__name__}: {raised}")


def findings_text(proofs: Sequence[Proof], *, file: str, subject: str) -> str:
    """What the judge found, as a person reads it; empty for nothing."""
    return "\n".join(
        render(proof.judgement, proof.scenario, file=file, subject=subject)
        for proof in proofs
        if proof.judgement.findings
    )


def headlines(proofs: Sequence[Proof]) -> list[str]:
    """One line for each finding."""
    return [one_line(finding, proof.scenario) for proof in proofs for finding in proof.judgement.findings]

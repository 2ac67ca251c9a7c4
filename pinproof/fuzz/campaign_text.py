"""What a person is told of a campaign: while it runs on standard error, at its end on standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TextIO

from pinproof.fuzz.campaign import NOT_TRIED, Found, Listener, Progress
from pinproof.fuzz.campaign_document import CampaignDocument, FindingDocument
from pinproof.fuzz.campaign_files import Folder, origin, size
from pinproof.reference.decisions import decided_by_memory

TERMINAL_SECONDS = 0.5
LOG_SECONDS = 30.0
SAVE_SECONDS = 5.0
"""How long a campaign that is ended by force may have gone on without being saved."""


class Narrator(Listener):
    """Keeps everything found in the folder, and tells of it and of how far the campaign is."""

    def __init__(self, folder: Folder, *, stream: TextIO | None = None) -> None:
        self.folder = folder
        self._stream = stream if stream is not None else sys.stderr
        self._terminal = self._stream.isatty()
        self._told = self._saved = time.monotonic()
        self._known: dict[str, str] = {}

    def found(self, found: Found) -> None:
        """Write it at once."""
        self.folder.keep(found)
        news = self._news(found)
        if self._known.get(found.signature.id) != news:
            self._known[found.signature.id] = news
            self.say(news)

    def _news(self, found: Found) -> str:
        if found.shrunk is None:
            return f"found in {origin(found.number)}: {found.signature}"
        if not found.shrunk.again:
            return f"did not fail so when run again: {self.folder.scenario_file(found)}"
        verdict = f"; {found.confirmed}" if found.confirmed != NOT_TRIED else ""
        return f"smallest, {size(found)}{verdict}: {self.folder.scenario_file(found)}"

    def counted(self, progress: Progress) -> None:
        """Save now and then."""
        if time.monotonic() - self._saved >= SAVE_SECONDS:
            self._saved = time.monotonic()
            self.folder.save(progress, ended="running", exit_code=0)

    def tick(self, progress: Progress, busy: int) -> None:
        """A line that changes on a terminal, a line now and then elsewhere."""
        now = time.monotonic()
        if now - self._told < (TERMINAL_SECONDS if self._terminal else LOG_SECONDS):
            return
        self._told = now
        line = self._line(progress, busy)
        self._write(f"\r\x1b[K{line[:150]}" if self._terminal else f"pinproof: {line}\n")

    def _line(self, progress: Progress, busy: int) -> str:
        rate = progress.done / progress.seconds if progress.seconds else 0
        known = len(self.folder.about.decisions)
        return (
            f"{progress.done:,} scenarios, {rate:.0f}/s, {len(progress.tally.reached)} of {known} decisions reached, "
            f"{len(progress.found)} findings, {busy} workers busy"
        )

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write(f"\r\x1b[K{text}\n" if self._terminal else f"pinproof: {text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def summary(document: CampaignDocument) -> str:
    """The campaign in plain text, ending with a newline."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: CampaignDocument) -> Iterator[str]:
    counts = document.counts
    yield (
        f"{document.subject.name} ({document.subject.version}), seed {document.seed}: {document.done:,} scenarios in "
        f"{document.seconds:.1f} s" + (f", after {document.corpus} of the corpus" if document.corpus else "")
    )
    yield (
        f"  {counts.get('admissions', 0):,} admissions, {counts.get('rejections', 0):,} of them rejected; "
        f"{counts.get('restarts', 0):,} restarts, {counts.get('refusals', 0):,} of them refused; "
        f"{counts.get('open', 0):,} scenarios of open outcome"
    )
    if counts.get("unpredicted"):
        yield f"  {counts['unpredicted']:,} more were declined by the reference and not run"
    yield from _decisions(document)
    yield _time(document)
    for use in document.explained:
        yield f"explained by the ledger, {use.times:,} times: {use.finding}: {use.reason} ({use.link})"
    yield f"findings: {len(document.findings) or 'none'}"
    for finding in document.findings:
        yield from _finding(finding)
    if document.ended not in ("done", "interrupted"):
        yield f"ended early: {document.ended}"


def _time(document: CampaignDocument) -> str:
    """Where the time went."""
    done = max(1, document.counts.get("scenarios", 0))
    parts = ", ".join(f"{phase} {1000 * spent / done:.2f}" for phase, spent in document.phases.items())
    return f"milliseconds a scenario: {parts}; {document.megabytes} MB in the largest worker"


def _decisions(document: CampaignDocument) -> Iterator[str]:
    known, reached = document.decisions.known, document.decisions.reached
    if not known:
        return
    missed = [name for name in known if name not in reached]
    yield f"decided by memory: {decided_by_memory(reached):.0%} of the admissions"
    yield f"decisions reached: {len(known) - len(missed)} of {len(known)}" + (
        f"; not reached: {', '.join(missed)}" if missed else ""
    )


def _finding(finding: FindingDocument) -> Iterator[str]:
    signature = finding.signature
    yield f"  {finding.id}: {finding.times:,} times, first in {origin(finding.first)}"
    name = signature.requirement or ("no verdict" if signature.oracle == "trouble" else "model")
    yield f"    {name}: {signature.step}: {signature.path}" + (f": {signature.said}" if signature.said else "")
    small = "shrunk to" if finding.shrunk else "of"
    again = "" if finding.again else "; did not fail so when run again"
    yield f"    {small} {finding.steps} steps and {finding.pods} pods; {finding.confirmed}{again}"
    yield f"    {finding.replay}"

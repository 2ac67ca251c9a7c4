"""A sign of life on standard error while many scenarios are run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

TERMINAL = 0.5
"""Seconds between two signs where somebody watches."""

ELSEWHERE = 30.0
"""Seconds between two lines of a log."""


class Pace:
    """Counts scenarios and says now and then how many were run, and how fast."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what = what
        self._of = f" of {total:,}" if total else ""
        self._terminal = sys.stderr.isatty()
        self._begun = self._last = time.monotonic()
        self.done = 0

    def step(self, about: Callable[[], str]) -> None:
        """One more scenario was run; `about` says what came of it so far."""
        self.done += 1
        now = time.monotonic()
        if now - self._last < (TERMINAL if self._terminal else ELSEWHERE):
            return
        self._last = now
        rate = self.done / (now - self._begun)
        line = f"{self._what}: {self.done:,}{self._of} scenarios, {rate:.3g} a second, {about()}"
        sys.stderr.write(f"\r\x1b[K{line}" if self._terminal else f"pinproof: {line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave a clean line behind."""
        if self._terminal and self._last != self._begun:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

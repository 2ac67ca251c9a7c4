"""Shows that long work is alive: one changing line on a terminal, a heartbeat line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Self, TextIO

TERMINAL_SECONDS = 0.5
LOG_SECONDS = 15.0


class Progress:
    """One piece of long work, told on standard error (standard output belongs to results); a context manager.

    What is quick as a rule is `quick`: nothing is told of it unless it takes longer than a beat.
    """

    def __init__(self, what: str, *, hint: str = "", quick: bool = False, stream: TextIO | None = None) -> None:
        self._what = what
        self._hint = hint
        self._stream = stream if stream is not None else sys.stderr
        self._terminal = self._stream.isatty()
        self._began = self._last = time.monotonic()
        self._detail = ""
        self._silent = quick

    def __enter__(self) -> Self:
        if not self._silent:
            self._say(f"{self._what} ({self._hint})" if self._hint else self._what)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._silent:
            return
        outcome = "done in" if kind is None else "failed after"
        self._say(f"{self._what}: {outcome} {time.monotonic() - self._began:.0f} s", last=True)

    def note(self, detail: str) -> None:
        """Remember what is being worked on; it is shown with the next beat."""
        self._detail = detail

    def beat(self) -> None:
        """Tell that the work goes on, if the last word is old enough. Call it as often as convenient."""
        now = time.monotonic()
        if now - self._last < (TERMINAL_SECONDS if self._terminal else LOG_SECONDS):
            return
        self._last = now
        self._silent = False
        self._say(f"{self._what}: {now - self._began:.0f} s" + (f", {self._detail}" if self._detail else ""))

    def _say(self, text: str, *, last: bool = False) -> None:
        if self._terminal:
            self._stream.write(f"\r\x1b[K{text[:150]}" + ("\n" if last else ""))
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()

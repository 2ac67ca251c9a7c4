"""A line now and then where nobody watches a terminal: how far the run is, and how long ago something happened."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

INTERVAL = 30.0
"""Seconds between two lines."""


def standard_output() -> Callable[[str], None]:
    """Says a line on standard output as it is now, past whatever captures it while a case runs."""
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except (OSError, ValueError):
        return lambda line: None  # there is no real output, so there is nobody to tell

    def say(line: str) -> None:
        os.write(descriptor, f"\npinproof: {line}\n".encode())

    return say


class Heartbeat:
    """Says every so often what is going on, from a thread of its own, until it is stopped."""

    def __init__(self, say: Callable[[str], None], *, interval: float = INTERVAL) -> None:
        self._say = say
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pinproof-heartbeat", daemon=True)
        self._running: dict[str, None] = {}
        self._last = time.monotonic()
        self.total = 0
        self.done = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait until a line that is being written is out."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def began(self, case: str) -> None:
        """A case has begun."""
        self._running[case] = None
        self._last = time.monotonic()

    def ended(self, case: str) -> None:
        """A case has ended."""
        self._running.pop(case, None)
        self.done += 1
        self._last = time.monotonic()

    def line(self) -> str:
        """What there is to say now."""
        current = ", ".join(tuple(self._running)) or "nothing"
        return f"{self.done}/{self.total} done, running {current}, last event {time.monotonic() - self._last:.0f} s ago"

    def _beat(self) -> None:
        while not self._stopped.wait(self._interval):
            self._say(self.line())

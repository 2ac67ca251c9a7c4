"""Looking again and again: for what announces nothing, or is over before a watch of it would have begun."""

from __future__ import annotations

import time
from collections.abc import Iterator

PAUSE = 0.1
"""Seconds between two looks."""

_GROWTH = 1.5


def looks(seconds: float, *, pause: float = PAUSE, longest: float = 0.0) -> Iterator[bool]:
    """A turn for each look, with a pause before the next one: True while another will follow, False when it is the last.

        for more in looks(30):
            if done():
                return
        raise ...

    Pauses grow up to the `longest`, in seconds, if one is given. Whoever knows of an event waits for that instead.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield True
        time.sleep(pause)  # the one pause of all looks: what is looked at tells nobody when it changes
        pause = max(pause, min(pause * _GROWTH, longest))
    yield False

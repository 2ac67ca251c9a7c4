"""What must happen: the exact set of histories that a release allows for a scenario.

Most scenarios have one. Where Kubernetes leaves an outcome open (Go's map order decides which of several errors is met
first), there is one history for each, and a subject is right when it shows any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinproof.history import History


@dataclass(frozen=True, slots=True)
class Prediction:
    """The allowed histories of one scenario; raises ValueError when there is none."""

    histories: tuple[History, ...]
    """At least one; their order means nothing."""

    def __post_init__(self) -> None:
        if not self.histories:
            raise ValueError("a prediction needs at least one history")

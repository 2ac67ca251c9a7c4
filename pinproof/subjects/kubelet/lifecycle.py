"""What a pod's containers must come to after each event. Pure.

The driver of a scenario waits for states, never for times, so it has to know which state an event leads to: which
containers run after an admission, what follows the end of one. This is ordinary pod life cycle and not under test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pinproof.scenario.pod import Container, Pod

Consequence = Literal["next", "again", "ended", "over"]
"""The next containers start; this one starts again; it stays ended; it stays ended and the whole pod with it."""


@dataclass(slots=True)
class LivePod:
    """One incarnation of a pod on a node."""

    pod: Pod
    uid: str
    namespace: str
    arrival: int
    rejected: bool = False
    over: bool = False
    """It has finished: it is terminal, like a rejected one, and does not come back after a restart."""

    completed: set[str] = field(default_factory=set)
    """Regular init containers that have ended with code 0."""

    ended: dict[str, int] = field(default_factory=dict)
    """App containers that will not be started again → exit code."""

    stuck: bool = False
    """It has an init container that its kubelet never starts."""

    attempts: dict[str, int] = field(default_factory=dict)
    """Container → attempt that must run by now, where it is not the first."""

    @property
    def terminal(self) -> bool:
        """Whether the pod is of no further interest to a kubelet."""
        return self.rejected or self.over

    def due(self) -> tuple[str, ...]:
        """The containers that must have been started by now, in order."""
        names = []
        for container in self.pod.init_containers:
            names.append(container.name)
            if not container.restart_always and container.name not in self.completed:
                return tuple(names)
        return (*names, *(container.name for container in self.pod.containers))

    def awaited(self) -> tuple[str, ...]:
        """Those of the due containers that a kubelet starts or has running: all but completed init containers."""
        return () if self.stuck else tuple(name for name in self.due() if name not in self.completed)

    def begin_anew(self) -> None:
        """Nothing is known of its containers any more: all of them start again, the first init container first."""
        self.completed.clear()
        self.ended.clear()
        self.attempts.clear()

    def exits(self, name: str, code: int, *, attempt: int) -> Consequence:
        """Take note that a container, in this attempt, ends with a code; says what must follow."""
        consequence = self._consequence(name, code)
        if consequence == "again":
            self.attempts[name] = attempt + 1
        elif consequence == "over":
            self.over = True
        return consequence

    def _consequence(self, name: str, code: int) -> Consequence:
        container = self._container(name)
        if container.restart_always:
            return "again"
        if container in self.pod.init_containers:
            if code == 0:
                self.completed.add(name)
                return "next"
            return "over" if self.pod.restart_policy == "Never" else "again"
        if self.pod.restart_policy == "Always" or (self.pod.restart_policy == "OnFailure" and code):
            return "again"
        self.ended[name] = code
        return "over" if len(self.ended) == len(self.pod.containers) else "ended"

    def _container(self, name: str) -> Container:
        return next(container for container in self.pod.all_containers if container.name == name)

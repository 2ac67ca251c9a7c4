"""A scenario carried out on a worker of a cluster: as on every node, but pods come from an API server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from pinproof.history import History
from pinproof.scenario.contents import arriving
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Crash, Restart, Scenario, Step, begun
from pinproof.subjects.cluster.apinode import ApiNode
from pinproof.subjects.cluster.ordering import creation_order
from pinproof.subjects.kubelet.faults import wants_own_node
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.lifecycle import LivePod
from pinproof.subjects.kubelet.performance import Performance
from pinproof.subjects.kubelet.refusal import Ending

_MARGIN = 0.02
"""Seconds after the beginning of a second of the server's clock."""


class KindPerformance(Performance):
    """One run of a scenario on a worker."""

    def __init__(
        self, scenario: Scenario, node: ApiNode, *, identities: Identities, prefix: str, refused: Ending | None
    ) -> None:
        """As every performance; `prefix` makes the names of its pods differ from all others of the cluster."""
        super().__init__(scenario, node, identities=identities, refused=refused)
        self._worker = node
        self._prefix = prefix
        self._made: dict[int, tuple[str, str]] = {}
        """Arrival, counted from 0 → UID and name of the pod that was created for it beforehand."""

        self._arrival = 0
        self._coming: list[int] = []
        """Arrivals of the step that is carried out."""

        self._created: set[str] = set()
        self._earlier = 0
        """Pods that were on the node before the first of the scenario."""

    def run(self, subject: str) -> History:
        """Create pods beforehand where their times of creation matter, then carry everything out."""
        pods = [pod for step in self._scenario.steps for pod in arriving(begun(step))]
        for earlier, arrival in enumerate(creation_order(self._scenario)):
            if earlier:
                _await_next_second()
            self._made[arrival] = self._create(pods[arrival], arrival)
        history = super().run(subject)
        if wants_own_node(self._scenario):
            self.spoiled = self.spoiled or "something went wrong on it"
        return history

    @property
    def created(self) -> tuple[str, ...]:
        """UIDs of all pods that the API server was given."""
        return tuple(self._created)

    def _carry_out(self, step: Step) -> None:
        count = len(arriving(begun(step)))
        self._coming = list(range(self._arrival, self._arrival + count))
        self._arrival += count
        super()._carry_out(step)

    def _arriving(self, pod: Pod) -> LivePod:
        if self._live(pod.name):  # the step that removes it came while no kubelet ran, and was left out
            self._remove(pod.name)
        arrival = self._coming.pop(0)
        uid, name = self._made.pop(arrival) if arrival in self._made else self._create(pod, arrival)
        self._arrivals += 1
        return LivePod(pod, uid, f"{self._worker.home.namespace}/{name}", self._arrivals)

    def _create(self, pod: Pod, arrival: int) -> tuple[str, str]:
        name = f"{pod.name}-{self._prefix}-{arrival}"
        # On a node's first scenario the reference calls the pods `name.1`, `name.2` and so on, as they arrive.
        alias = f"{pod.name}.{self._earlier + arrival + 1}"
        uid, name = self._worker.create(pod, name=name, alias=alias)
        self._created.add(uid)
        return uid, name

    def _deliver(self, arriving: Sequence[LivePod]) -> None:
        for live in arriving:
            self._worker.bind(live.uid)

    def _crash(self, step: Crash) -> None:
        self._arrival -= len(arriving(step.during))  # the step itself counts them
        if isinstance(step.during, Restart):
            self._await_reported()
        super()._crash(step)

    def _await_reported(self) -> None:
        if not self._ending:
            self._worker.await_reported({uid: live.awaited() for uid, live in self.pods.items() if not live.terminal})

    def _restart(self, step: Restart) -> None:
        self._await_reported()
        if step.signal == "POWER":
            self._expect_everything_anew()
        super()._restart(step)

    def _returning(self, order: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
        """The order is that of creation. Terminal pods go, as the scenario has it."""
        del order
        terminal = [live.uid for live in self.pods.values() if live.terminal]
        self._worker.drop(terminal)
        for uid in terminal:
            del self.pods[uid]
        yield from ()

    def _record(self, before: str, after: str) -> Iterator[tuple[str, str | None]]:
        """Nothing: pods have cgroups here."""
        del before, after
        yield from ()


def _await_next_second() -> None:
    """Times of creation are whole seconds of the server's clock, which is this machine's."""
    now = datetime.now().timestamp()
    time.sleep(1 - now % 1 + _MARGIN)  # the clock itself is waited for, no event

"""What a cluster shows of a kubelet's answers: events, and the pods that controllers make. Pure.

* Of every rejected pod the API server has one warning, with reason and message of its status. The status has the message
  behind `Pod was rejected: `.
* A controller makes one pod for its first, and one more for each of its pods that was rejected. The pods wait to be placed, so
  what it makes is counted whether they come to the node or not.
* A DaemonSet deletes its rejected pods, so that no kubelet lists them to PodResources; a Deployment leaves them.
* The kernel has what the runtime was told, as on a host that has all nodes and CPUs of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from pinproof.history import Enforced, Observation
from pinproof.scenario.pod import CONTROLLERS
from pinproof.scenario.steps import Admit, Remove, Scenario, Step, begun

REJECTED: Final = "Pod was rejected: "


def with_cluster(scenario: Scenario, observations: Sequence[Observation]) -> tuple[Observation, ...]:
    """The observations of a scenario with what a cluster adds to them; the first is the start of the kubelet."""
    controllers = _Controllers()
    steps = (None, *map(begun, scenario.steps))
    return tuple(
        _with_cluster(seen, controllers, step) if seen.pods is not None else seen
        for step, seen in zip(steps, observations, strict=True)
    )


def _with_cluster(seen: Observation, controllers: _Controllers, step: Step | None) -> Observation:
    made = controllers.after(step, seen)
    deleted = controllers.deleted(seen)
    listed = seen.pod_resources
    if listed and deleted:
        listed = {name: resources for name, resources in listed.items() if name not in deleted}
    return replace(seen, events=_events(seen), made=made, enforced=_enforced(seen), pod_resources=listed)


def _events(seen: Observation) -> dict[str, tuple[tuple[str, str], ...]]:
    rejected = ((name, verdict) for name, verdict in (seen.pods or {}).items() if not verdict.admitted)
    return {name: ((verdict.reason, verdict.message.removeprefix(REJECTED)),) for name, verdict in rejected}


def _enforced(seen: Observation) -> dict[str, dict[str, Enforced]]:
    return {
        pod: {name: Enforced(told, told) for name, told in containers.items() if any(told)}
        for pod, containers in (seen.told or {}).items()
    }


class _Controllers:
    """Controllers of a scenario, by their first pods."""

    def __init__(self) -> None:
        self._made: dict[str, int] = {}
        self._first: dict[str, str] = {}
        """Pod → the first of its controller."""

        self._tidy: set[str] = set()
        """First pods of those that delete what is rejected."""

        self._counted: set[str] = set()
        """Pods whose rejection was answered."""

    def after(self, step: Step | None, seen: Observation) -> dict[str, int]:
        """First pod of each → how many it has made once the step is over."""
        match step:
            case Admit(pod) if pod.name in (seen.pods or {}):
                if pod.by == "DaemonSet":
                    self._tidy.add(pod.name)
                self._arrives(pod.name, first=self._first.get(pod.replaces, "") or pod.name * (pod.by in CONTROLLERS))
            case Remove(name):
                self._leaves(name)
        for name in self._rejected(seen):
            self._counted.add(name)
            self._made[self._first[name]] += 1
        return dict(self._made)

    def deleted(self, seen: Observation) -> set[str]:
        """Rejected pods that their controller has deleted."""
        return {
            name
            for name, verdict in (seen.pods or {}).items()
            if not verdict.admitted and self._first.get(name) in self._tidy
        }

    def _arrives(self, name: str, *, first: str) -> None:
        self._counted.discard(name)
        if first:
            self._first[name] = first
            self._made.setdefault(first, 1)

    def _leaves(self, name: str) -> None:
        """With one of its pods the whole controller goes."""
        first = self._first.get(name)
        self._made.pop(first or "", None)
        self._tidy.discard(first or "")
        self._first = {pod: root for pod, root in self._first.items() if root != first}

    def _rejected(self, seen: Observation) -> Iterator[str]:
        for name, verdict in (seen.pods or {}).items():
            if name in self._first and name not in self._counted and not verdict.admitted:
                yield name

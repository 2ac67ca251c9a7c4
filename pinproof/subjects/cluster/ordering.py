"""In which order pods have to be created so that restarts bring them back as the scenario says. Pure.

A kubelet that starts admits the pods of an API server by their time of creation, which is the server's to give, in whole
seconds; pods of one second come in no order. So where a restart meets several pods, all of them are created beforehand, a
second apart, in the order of their return, and bound to the node when the scenario admits them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from pinproof.scenario.contents import arriving
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, AdmitTogether, Remove, Restart, Scenario, begun
from pinproof.subjects.protocol import NotObservableError


@dataclass(slots=True)
class _Course:
    """What is known of a scenario's pods while its steps are gone through."""

    pods: list[Pod] = field(default_factory=list)
    """Every arrival, in order; a pod is known by its place here."""

    there: list[int] = field(default_factory=list)
    """Those that are on the node."""

    after: dict[int, set[int]] = field(default_factory=dict)
    """Pod → those that have to be created before it."""

    def arrives(self, pod: Pod) -> None:
        self.leaves(pod.name)
        self.there.append(len(self.pods))
        self.pods.append(pod)

    def leaves(self, name: str) -> None:
        self.there = [number for number in self.there if self.pods[number].name != name]

    def returns(self, order: tuple[str, ...]) -> None:
        ranks = {name: rank for rank, name in enumerate(order)}
        coming = sorted(self.there, key=lambda number: ranks.get(self.pods[number].name, len(ranks)))
        if len(coming) > 1 and any(self.pods[number].by == "static" for number in coming):
            raise NotObservableError("a kubelet hears of static pods and of others in an order that nobody chooses")
        for first, second in pairwise(coming):
            if self.pods[first].replaces:
                raise NotObservableError("the pod that a controller makes for a rejected one is the last to be created")
            self.after.setdefault(second, set()).add(first)


def creation_order(scenario: Scenario) -> tuple[int, ...]:
    """Arrivals, counted from 0, in the order of their creation; empty where no restart meets two pods.

    Static pods, and pods that controllers make for rejected ones, are not among them. Raises NotObservableError where restarts
    want what no times of creation can give.
    """
    course = _Course()
    for step in map(begun, scenario.steps):
        match step:
            case Admit() | AdmitTogether():
                for pod in arriving(step):
                    course.arrives(pod)
            case Remove(name):
                course.leaves(name)
            case Restart(order=order):
                course.returns(order)
            case _:
                pass
    if not course.after:
        return ()
    sorter = TopologicalSorter({number: course.after.get(number, ()) for number in range(len(course.pods))})
    try:
        return tuple(number for number in sorter.static_order() if _is_given(course.pods[number]))
    except CycleError as error:
        raise NotObservableError(
            "a cluster brings pods back by their times of creation, and two restarts want them in different orders"
        ) from error


def _is_given(pod: Pod) -> bool:
    """Whether the API server is given it by us."""
    return pod.by != "static" and not pod.replaces

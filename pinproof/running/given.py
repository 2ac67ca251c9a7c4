"""What a prediction says on a node that was given, where somebody looks at a kubelet that has run for long. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pinproof.history import CpuState, History, Observation, Prediction
from pinproof.judge.course import course
from pinproof.scenario.contents import arriving
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.steps import Restart, Scenario, Step
from pinproof.subjects.protocol import NotObservableError


def require_empty(before: Iterable[Step]) -> None:
    """Raises NotObservableError where pods that are there ask for something: figures of a case are those of an empty node."""
    asking = [pod.name for step in before for pod in arriving(step) if pod.qos() != "BestEffort"]
    if asking:
        raise NotObservableError(
            f"the case counts on an empty node, and pods that are there ask for memory or CPUs: {', '.join(asking)}"
        )


def as_given(prediction: Prediction, scenario: Scenario, observed: History) -> Prediction:
    """The prediction of every history as it is seen on a node that was given; of all other nodes, as it is.

    * Counters count from when somebody looked first; from a restart of the kubelet on they are absolute again.
    * CPUs of pods that are gone are given back by the next admission, or earlier by the CPU manager's own look around, which
      comes every ten seconds by default. Either is allowed. (The memory manager has no such look.)
    """
    if not observed.unseen:
        return prediction
    live = {moment.index: moment.live for moment in course(scenario, observed)}

    def seen(history: History) -> History:
        counted = list(_counted(history, scenario, observed.unseen))
        pairs = enumerate(zip(counted, observed.observations, strict=False))
        shown = [_tidied(each, there, live.get(at, {})) for at, (each, there) in pairs]
        return replace(history, observations=(*shown, *counted[len(shown) :]))

    return replace(prediction, histories=tuple(seen(history) for history in prediction.histories))


def _counted(history: History, scenario: Scenario, first: int) -> Iterator[Observation]:
    """The observations with counters since the `first`, up to a restart."""
    restarts = [at for at, step in enumerate(scenario.steps[first:], first + 1) if isinstance(step, Restart)]
    last = min(restarts, default=len(scenario.steps) + 1)
    zero = history.observations[first].counters or {}
    for at, each in enumerate(history.observations):
        if each.counters is not None and first <= at < last:
            yield replace(each, counters={name: value - zero.get(name, 0) for name, value in each.counters.items()})
        else:
            yield each


def _tidied(expected: Observation, seen: Observation, live: Mapping[str, object]) -> Observation:
    """What is expected, without the CPUs of pods that are gone and that have been given back already."""
    if expected.cpu is None or seen.cpu is None:
        return expected
    entries = expected.cpu.entries
    gone = entries.keys() - live.keys() - seen.cpu.entries.keys()
    if not gone:
        return expected
    freed = [CpuSet.parse(cpus) for pod in gone for cpus in entries[pod].values()]
    default = CpuSet(CpuSet.parse(expected.cpu.default).union(*freed))
    left = {pod: held for pod, held in entries.items() if pod not in gone}
    return replace(expected, cpu=CpuState(str(default), left))

"""Simpler scenarios: with fewer steps, and with plainer restarts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, replace

from pinproof.scenario.steps import Admit, Exit, Remove, Restart, Scenario, Step

PLAIN = Restart()


def fewer_steps(scenario: Scenario) -> Iterator[Scenario]:
    """Without its end, without runs of steps from long to short, the last first; then with pods in place of arrivals."""
    count = len(scenario.steps)
    length = count
    while length:
        for start in range(count - length, -1, -1):
            yield without(scenario, range(start, start + length))
        length = length // 2 if length > 3 else length - 1
    yield from _never_come(scenario)


def without(scenario: Scenario, dropped: Collection[int]) -> Scenario:
    """The scenario without these steps, and without what later steps say of pods that are no longer there."""
    kept = [step for index, step in enumerate(scenario.steps) if index not in dropped]
    return replace(scenario, steps=tuple(coherent(kept)))


def coherent(steps: Collection[Step]) -> Iterator[Step]:
    """The steps, less those that speak of a pod that is not there."""
    there: dict[str, frozenset[str]] = {}
    for step in steps:
        match step:
            case Admit(pod):
                if pod.name not in there:
                    there[pod.name] = frozenset(container.name for container in pod.all_containers)
                    yield step
            case Remove(pod=name):
                if there.pop(name, None) is not None:
                    yield step
            case Exit(pod=name, container=container):
                if container in there.get(name, ()):
                    yield step
            case Restart(order=order):
                known = tuple(name for name in order if name in there)
                yield step if known == order else replace(step, order=known)


def _never_come(scenario: Scenario) -> Iterator[Scenario]:
    """Without everything that speaks of one pod."""
    names = dict.fromkeys(step.pod.name for step in scenario.steps if isinstance(step, Admit))
    for name in reversed(names):
        yield without(scenario, [index for index, step in enumerate(scenario.steps) if _pod_of(step) == name])


def gone_instead(scenario: Scenario) -> Iterator[Scenario]:
    """With one pod that is removed right after it came in place of another step, mostly the arrival of another pod.

    What a pod leaves behind is the same whether it was rejected because others filled the node or was removed.
    """
    removed = {step.pod for step in scenario.steps if isinstance(step, Remove)}
    for index, step in enumerate(scenario.steps):
        if not isinstance(step, Admit) or step.pod.name in removed:
            continue
        for other, dropped in enumerate(scenario.steps):
            if other != index and isinstance(dropped, Admit):
                steps = (*scenario.steps[: index + 1], Remove(step.pod.name), *scenario.steps[index + 1 :])
                yield without(replace(scenario, steps=steps), [other if other < index else other + 1])


def _pod_of(step: Step) -> str:
    match step:
        case Admit(pod):
            return pod.name
        case Remove(pod=name) | Exit(pod=name):
            return name
    return ""


def simpler_restarts(scenario: Scenario) -> Iterator[Scenario]:
    """With plain restarts, with one field less, or with what a restart changes in force from the beginning."""
    for index, step in enumerate(scenario.steps):
        if not isinstance(step, Restart) or step == PLAIN:
            continue
        yield with_step(scenario, index, PLAIN)
        for field in fields(Restart):
            if getattr(step, field.name) != getattr(PLAIN, field.name):
                plainer = replace(step, **{field.name: getattr(PLAIN, field.name)})
                yield with_step(scenario, index, plainer)
        if step.machine or step.kubelet:
            later = replace(
                scenario, machine=step.machine or scenario.machine, kubelet=step.kubelet or scenario.kubelet
            )
            yield with_step(later, index, replace(step, machine=None, kubelet=None))
        for dropped in range(len(step.order)):
            shorter = step.order[:dropped] + step.order[dropped + 1 :]
            yield with_step(scenario, index, replace(step, order=shorter))


def with_step(scenario: Scenario, index: int, step: Step) -> Scenario:
    """The scenario with another step at this place."""
    return replace(scenario, steps=(*scenario.steps[:index], step, *scenario.steps[index + 1 :]))

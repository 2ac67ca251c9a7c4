"""Simpler pods: fewer containers, fewer resources, rounder sizes, plain names."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from pinproof.fuzz.shrink_steps import coherent
from pinproof.scenario.pod import Container, Pod, Resources
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, AdmitTogether, Crash, Exit, Remove, Restart, Scenario, Step

GI = 1 << 30
MI = 1 << 20


def simpler_pods(scenario: Scenario) -> Iterator[Scenario]:
    """Each pod simplified in each way, one at a time."""
    for index, step in enumerate(scenario.steps):
        if isinstance(step, Admit):
            for pod in _simpler(step.pod):
                steps = (*scenario.steps[:index], Admit(pod), *scenario.steps[index + 1 :])
                yield replace(scenario, steps=tuple(coherent(steps)))


def _simpler(pod: Pod) -> Iterator[Pod]:
    for index in reversed(range(len(pod.init_containers))):
        yield replace(pod, init_containers=_less(pod.init_containers, index))
    if len(pod.containers) > 1:
        for index in reversed(range(len(pod.containers))):
            yield replace(pod, containers=_less(pod.containers, index))
    if pod.requests or pod.limits:
        yield replace(pod, requests=(), limits=())
    if pod.hints:
        yield replace(pod, hints=())
    if pod.restart_policy != "Always":
        yield replace(pod, restart_policy="Always")
    yield from _simpler_containers(pod)


def _less(containers: tuple[Container, ...], index: int) -> tuple[Container, ...]:
    return containers[:index] + containers[index + 1 :]


def _simpler_containers(pod: Pod) -> Iterator[Pod]:
    for index, container in enumerate(pod.init_containers):
        for simpler in _simpler_container(container):
            inits = (*pod.init_containers[:index], simpler, *pod.init_containers[index + 1 :])
            yield replace(pod, init_containers=inits)
    for index, container in enumerate(pod.containers):
        for simpler in _simpler_container(container):
            yield replace(pod, containers=(*pod.containers[:index], simpler, *pod.containers[index + 1 :]))


def _simpler_container(container: Container) -> Iterator[Container]:
    if container.hints:
        yield replace(container, hints=())
    if container.restart_always:
        yield replace(container, restart_always=False)
    if container.requests or container.limits:
        yield replace(container, requests=(), limits=())
    if container.limits and container.requests != container.limits:
        yield replace(container, requests=container.limits)
    if container.requests and container.requests != container.limits:
        yield replace(container, limits=container.requests)
    names = dict.fromkeys(name for name, _ in (*container.limits, *container.requests))
    for name in names:
        yield _mapped(container, name, lambda _: None)
    for name in names:
        for simplest in rounder(name):
            yield _mapped(container, name, simplest)


Change = Callable[[Quantity], Quantity | None]


def _mapped(container: Container, name: str, change: Change) -> Container:
    """The container with another amount of one resource, None for none of it."""
    requests, limits = (_changed(resources, name, change) for resources in (container.requests, container.limits))
    return replace(container, requests=requests, limits=limits)


def _changed(resources: Resources, name: str, change: Change) -> Resources:
    changed = ((known, change(amount) if known == name else amount) for known, amount in resources)
    return tuple((known, amount) for known, amount in changed if amount is not None)


def rounder(resource: str) -> Iterator[Change]:
    """Ways to make an amount simpler, from the simplest; each leaves alone what is as simple already."""
    if resource == "cpu":
        yield lambda _: Quantity.parse("1")
        yield lambda amount: Quantity.parse(str(max(1, amount.value())))
        return
    units: tuple[int, ...] = (GI, GI // 4, MI)
    if resource.startswith("hugepages-"):
        units = (Quantity.parse(resource.removeprefix("hugepages-")).value(),)
    yield lambda _: Quantity.of_bytes(units[0])
    for unit in units:
        yield partial(_rounded, unit=unit, up=False)
        yield partial(_rounded, unit=unit, up=True)


def _rounded(amount: Quantity, *, unit: int, up: bool) -> Quantity:
    size = amount.value()
    return amount if size % unit == 0 else Quantity.of_bytes((size // unit + up) * unit)


def renamed(scenario: Scenario) -> Iterator[Scenario]:
    """Pods called a, b, c in the order in which they come, app containers c, d, …, init containers i, j and so on."""
    names: dict[str, str] = {}
    for step in scenario.steps:
        if isinstance(step, Admit):
            names.setdefault(step.pod.name, _letter(len(names)))
    yield replace(scenario, steps=tuple(_renamed(step, names) for step in scenario.steps))
    containers: dict[str, dict[str, str]] = {}
    for step in scenario.steps:
        if isinstance(step, Admit):
            containers[step.pod.name] = _container_names(step.pod)
    yield replace(scenario, steps=tuple(_with_containers(step, containers) for step in scenario.steps))


def _letter(number: int) -> str:
    return string.ascii_lowercase[number] if number < len(string.ascii_lowercase) else f"p{number}"


def _renamed(step: Step, names: Mapping[str, str]) -> Step:
    match step:
        case Admit(pod):
            return Admit(replace(pod, name=names[pod.name]))
        case AdmitTogether(pods):  # not drawn, so its pods keep their names
            return AdmitTogether(tuple(replace(pod, name=names.get(pod.name, pod.name)) for pod in pods))
        case Remove() | Exit():
            return replace(step, pod=names.get(step.pod, step.pod))
        case Restart():
            return replace(step, order=tuple(names.get(name, name) for name in step.order))
        case Crash():
            during = _renamed(step.during, names)
            return replace(step, during=during) if isinstance(during, Admit | Remove | Exit | Restart) else step
        case _:
            return step


def _container_names(pod: Pod) -> dict[str, str]:
    """Old name → new one; the same pod may come again under its name, with the same containers."""
    pairs = [(container.name, f"c{number}" if number else "c") for number, container in enumerate(pod.containers)]
    pairs += [(container.name, f"i{number}" if number else "i") for number, container in enumerate(pod.init_containers)]
    return dict(pairs)


def _with_containers(step: Step, names: Mapping[str, Mapping[str, str]]) -> Step:
    match step:
        case Admit(pod):
            new = names[pod.name]
            return Admit(
                replace(
                    pod,
                    containers=tuple(replace(known, name=new.get(known.name, known.name)) for known in pod.containers),
                    init_containers=tuple(
                        replace(known, name=new.get(known.name, known.name)) for known in pod.init_containers
                    ),
                )
            )
        case Exit():
            return replace(step, container=names.get(step.pod, {}).get(step.container, step.container))
    return step

"""Pod-level resources (`spec.resources`): what a pod asks for as a whole, as the API makes it out of what was written.

The API server fills in what pod-level resources leave open before a kubelet sees them, and refuses what contradicts the
containers. A `Pod` holds what is left after that, so every subject is given the same numbers; a static pod is sent with all
of them written out, since from 1.37 only the API server fills them in.

>>> from pinproof.scenario.pod import Container
>>> half = (("memory", Quantity.parse("1Gi")),)
>>> limits = (("cpu", Quantity.parse("1")), ("memory", Quantity.parse("3Gi")))
>>> with_resources(Pod("a", (Container("c", half, half), Container("d", half, half))), limits=limits).requests
(('cpu', Quantity('1')), ('memory', Quantity('2Gi')))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from pinproof.scenario.pod import Container, Pod, Resources
from pinproof.scenario.quantity import Quantity

HUGEPAGES = "hugepages-"

Of = Callable[[Container], Resources]
"""Which resources of a container are meant: its requests or its limits."""


def is_pod_level(resource: str) -> bool:
    """Whether a pod can ask for this resource as a whole."""
    return resource in {"cpu", "memory"} or resource.startswith(HUGEPAGES)


def with_resources(pod: Pod, requests: Resources = (), limits: Resources = ()) -> Pod:
    """The pod with these pod-level resources, and with what the API adds to them.

    * Huge pages that only containers limit are limited to the containers' sum.
    * With any limit, a request of cpu or memory that is left out is the containers' sum; without that, the limit.
    """
    asked, bound = dict(requests), dict(limits)
    if not asked and not bound:
        return pod
    for resource, amount in aggregate(pod, _limits).items():
        if resource.startswith(HUGEPAGES) and resource not in asked:
            bound.setdefault(resource, amount)
    if bound:
        sums = aggregate(pod, _requests)
        asked = {name: sums[name] for name in ("cpu", "memory") if name in sums} | asked
        asked = bound | asked
    return replace(pod, requests=_sorted(asked), limits=_sorted(bound))


def aggregate(pod: Pod, of: Of) -> dict[str, Quantity]:
    """The most that the containers of a pod have at one time, by resource: see `pinproof.reference.requests.sized`."""
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for container in pod.init_containers:
        amounts = dict(of(container))
        if container.restart_always:
            sidecars = _plus(sidecars, amounts)
        peak = _most(peak, sidecars if container.restart_always else _plus(sidecars, amounts))
    for container in pod.containers:
        sidecars = _plus(sidecars, dict(of(container)))
    # As text and back, because that is how a sum leaves the API server.
    return {name: Quantity.parse(str(amount)) for name, amount in _most(peak, sidecars).items()}


def contradictions(pod: Pod) -> Iterator[tuple[str, str, str]]:
    """(`requests` or `limits`, resource, what is wrong) of pod-level resources that contradict the containers'."""
    asked, bound = dict(pod.requests), dict(pod.limits)
    for resource, amount in aggregate(pod, _requests).items():
        if resource in asked and amount > asked[resource]:
            yield (
                "requests",
                resource,
                f"{asked[resource]} is below the containers' sum of {amount}; ask for that or more",
            )
    for resource, amount in aggregate(pod, _limits).items():
        if resource.startswith(HUGEPAGES) and resource in bound and amount > bound[resource]:
            yield "limits", resource, f"{bound[resource]} is below the containers' sum of {amount}; allow that or more"
    for container in pod.containers:
        for resource, amount in container.limits:
            if resource in bound and amount > bound[resource] and not resource.startswith(HUGEPAGES):
                yield "limits", resource, f"{bound[resource]} is below the limit {amount} of container {container.name}"


def _requests(container: Container) -> Resources:
    return container.requests


def _limits(container: Container) -> Resources:
    return container.limits


def _plus(first: Mapping[str, Quantity], second: Mapping[str, Quantity]) -> dict[str, Quantity]:
    sums = dict(first)
    for name, amount in second.items():
        sums[name] = sums[name] + amount if name in sums else amount
    return sums


def _most(first: Mapping[str, Quantity], second: Mapping[str, Quantity]) -> dict[str, Quantity]:
    most = dict(first)
    for name, amount in second.items():
        most[name] = max(most[name], amount) if name in most else amount
    return most


def _sorted(amounts: Mapping[str, Quantity]) -> Resources:
    return tuple(sorted(amounts.items()))

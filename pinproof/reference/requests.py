"""What a pod asks for, in the terms of the resource managers (behaviour.md 3.1 to 3.3).

Everything here depends on the pod alone, so it is worked out once a pod. Not by equality: quantities are equal that the kubelet
reads differently (`1Gi`, `1.0Gi`). Sizes are bytes, CPUs are whole CPUs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pinproof.reference.outcomes import NOT_INT64, AllocationFailed
from pinproof.scenario.pod import Container, OtherHints, Pod, Resources
from pinproof.scenario.quantity import Quantity

MemoryRequest = Mapping[str, int]
"""Memory type → bytes. A type asked for with 0 bytes is a key all the same."""


PodLevel = Literal["ignored", "unsupported", "counted-without-pages", "counted", "skipped", "managed"]
"""What a kubelet makes of pod-level resources (behaviour.md 10).

* Ignored: nothing, up to 1.31 and with gate `PodLevelResources` off. Unsupported: the same from 1.36, where the resource
  managers leave the pod alone nevertheless.
* Counted: they decide the QoS class and the sums of the node (1.33 with the alpha gate; 1.32 without huge pages).
* Skipped: the same, while the resource managers leave the pod alone (1.34, #133279).
* Managed: the resource managers serve the pod as a whole (1.36 with gate `PodLevelResourceManagers`, #134768).
"""

UNSEEN = frozenset({"ignored", "unsupported"})
"""Those for which the containers alone decide the QoS class and what counts against the node."""


def is_memory(resource: str) -> bool:
    """Whether the memory manager is responsible for a resource name."""
    return resource == "memory" or resource.startswith("hugepages-")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one pod asks for."""

    pod: Pod
    guaranteed: bool
    """QoS class Guaranteed, and not skipped: the managers act for no other."""

    managed: bool
    """Pod-level resources that the managers serve."""

    memory: Mapping[str, MemoryRequest | None]
    """Container → its request; None where a quantity is no whole number of bytes."""

    pod_memory: MemoryRequest | None
    """The request of the whole pod, for scope `pod`; None where a quantity is no whole number of bytes."""

    cpus: Mapping[str, int]
    """Container → exclusive CPUs; 0 for a fractional request or another QoS class."""

    pod_cpus: int
    """Exclusive CPUs of the whole pod, for scope `pod`."""

    regular_init: frozenset[str]
    """Init containers that end before the next starts; sidecars are not among them."""

    init_before: Mapping[str, tuple[str, ...]]
    """Container → the regular init containers that are over when it starts, in order."""

    names: tuple[str, ...]
    """Init containers, then app containers."""

    hints: Mapping[str, OtherHints]
    """Container → what another hint provider answers."""

    node: Mapping[str, int]
    """What the pod requests of the node: itself as one of `pods`, CPUs in thousandths, the rest in bytes."""

    def memory_of(self, container: str) -> MemoryRequest:
        """A container's request; AllocationFailed where a quantity is no whole number of bytes."""
        request = self.memory[container]
        if request is None:
            raise AllocationFailed(NOT_INT64)
        return request


def asked(pod: Pod, pod_level: PodLevel = "ignored") -> Asked:
    """Work out what a pod asks for, on a kubelet that makes this of its pod-level resources, if it has any."""
    pod_level = pod_level if pod.has_resources else "ignored"
    managed = pod_level == "managed"
    left_alone = pod_level in {"skipped", "unsupported"}
    guaranteed = not left_alone and pod.qos(pod_level=pod_level not in UNSEEN) == "Guaranteed"
    exclusive = {c.name for c in pod.all_containers if not managed or _is_exclusive(c)}
    memory = {c.name: _memory_request(c.requests) if c.name in exclusive else {} for c in pod.all_containers}
    cpus = {c.name: _whole_cpus(c.requests) if guaranteed and c.name in exclusive else 0 for c in pod.all_containers}
    return Asked(
        pod=pod,
        guaranteed=guaranteed,
        managed=managed,
        memory=memory,
        pod_memory=_positive(_memory_request(pod.requests)) if managed else _pod_memory(pod, memory),
        cpus=cpus,
        pod_cpus=(_whole_cpus(pod.requests) if guaranteed else 0) if managed else sized(pod, cpus),
        regular_init=frozenset(c.name for c in pod.init_containers if not c.restart_always),
        init_before=_init_before(pod),
        names=tuple(c.name for c in pod.all_containers),
        hints={c.name: c.hints for c in pod.all_containers},
        node=_node_requests(pod, pod_level),
    )


def _node_requests(pod: Pod, pod_level: PodLevel) -> Mapping[str, int]:
    """A pod-level request replaces the sum of the containers, unless pod-level resources are ignored.

    In 1.32 that holds for cpu and memory; huge pages of a pod as a whole came with 1.33 (#130577).
    """
    amounts: dict[str, dict[str, int]] = {"cpu": {}, "memory": {}}
    for container in pod.all_containers:
        for resource, quantity in container.requests:
            if resource == "cpu" or is_memory(resource):
                amounts.setdefault(resource, {})[container.name] = _amount(resource, quantity)
    totals = {resource: sized(pod, each) for resource, each in amounts.items()}
    for resource, quantity in pod.requests if pod_level not in UNSEEN else ():
        if resource in {"cpu", "memory"} or (is_memory(resource) and pod_level != "counted-without-pages"):
            totals[resource] = _amount(resource, quantity)
    return {"pods": 1} | {resource: totals[resource] for resource in sorted(totals) if totals[resource]}


def _amount(resource: str, quantity: Quantity) -> int:
    return quantity.milli() if resource == "cpu" else quantity.value()


def _is_exclusive(container: Container) -> bool:
    """Whether a container of a managed pod gets memory, and whole CPUs, of its own: cpu and memory are limited to the request."""
    requests, limits = dict(container.requests), dict(container.limits)
    return all(name in requests and requests[name] == limits.get(name) for name in ("cpu", "memory")) and not any(
        requests[name].is_zero() for name in ("cpu", "memory")
    )


def _memory_request(requests: Resources) -> MemoryRequest | None:
    request: dict[str, int] = {}
    for resource, quantity in requests:
        if is_memory(resource):
            size = quantity.exact_int()
            if size is None:
                return None
            request[resource] = size
    return request


def _positive(request: MemoryRequest | None) -> MemoryRequest | None:
    return None if request is None else {t: size for t, size in request.items() if size > 0}


def _whole_cpus(requests: Resources) -> int:
    quantity = dict(requests).get("cpu", Quantity.ZERO)
    whole = quantity.value()
    return whole if whole * 1000 == quantity.milli() else 0


def _init_before(pod: Pod) -> Mapping[str, tuple[str, ...]]:
    over: list[str] = []
    before = {}
    for container in pod.init_containers:
        before[container.name] = tuple(over)
        if not container.restart_always:
            over.append(container.name)
    return before | {container.name: tuple(over) for container in pod.containers}


def _pod_memory(pod: Pod, memory: Mapping[str, MemoryRequest | None]) -> MemoryRequest | None:
    """A type is counted only if an app container asks for it; one that only init containers ask for is lost (#140814)."""
    requests = {}
    for name, request in memory.items():
        if request is None:
            return None
        requests[name] = request
    types = {t for container in pod.containers for t in requests[container.name]}
    return {t: sized(pod, {name: request.get(t, 0) for name, request in requests.items()}) for t in sorted(types)}


def sized(pod: Pod, amounts: Mapping[str, int]) -> int:
    """The most that a pod holds at one time: its long-running containers, or an init container beside earlier sidecars."""
    sidecars = peak = 0
    for container in pod.init_containers:
        amount = amounts.get(container.name, 0)
        if container.restart_always:
            sidecars += amount
        else:
            peak = max(peak, sidecars + amount)
    return max(peak, sidecars + sum([amounts.get(container.name, 0) for container in pod.containers]))

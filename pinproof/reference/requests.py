"""What a pod asks for, in the terms of the resource managers (behaviour.md 3.1 to 3.3).

Everything here depends on the pod alone, so it is worked out once a pod. Sizes are bytes, CPUs are whole CPUs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pinproof.reference.outcomes import NOT_INT64, AllocationFailed
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity

MemoryRequest = Mapping[str, int]
"""Memory type → bytes. A type asked for with 0 bytes is a key all the same."""


def is_memory(resource: str) -> bool:
    """Whether the memory manager is responsible for a resource name."""
    return resource == "memory" or resource.startswith("hugepages-")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one pod asks for."""

    pod: Pod
    guaranteed: bool
    """QoS class Guaranteed: the managers act for no other."""

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

    def memory_of(self, container: str) -> MemoryRequest:
        """A container's request; AllocationFailed where a quantity is no whole number of bytes."""
        request = self.memory[container]
        if request is None:
            raise AllocationFailed(NOT_INT64)
        return request


@lru_cache(maxsize=4096)
def asked(pod: Pod) -> Asked:
    """Work out what a pod asks for."""
    guaranteed = pod.qos() == "Guaranteed"
    memory = {container.name: _memory_request(container) for container in pod.all_containers}
    cpus = {container.name: _exclusive_cpus(container) if guaranteed else 0 for container in pod.all_containers}
    return Asked(
        pod=pod,
        guaranteed=guaranteed,
        memory=memory,
        pod_memory=_pod_memory(pod, memory),
        cpus=cpus,
        pod_cpus=sized(pod, cpus),
        regular_init=frozenset(c.name for c in pod.init_containers if not c.restart_always),
        init_before=_init_before(pod),
        names=tuple(c.name for c in pod.all_containers),
    )


def _memory_request(container: Container) -> MemoryRequest | None:
    request: dict[str, int] = {}
    for resource, quantity in container.requests:
        if is_memory(resource):
            size = quantity.exact_int()
            if size is None:
                return None
            request[resource] = size
    return request


def _exclusive_cpus(container: Container) -> int:
    quantity = dict(container.requests).get("cpu", Quantity.ZERO)
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
        amount = amounts[container.name]
        if container.restart_always:
            sidecars += amount
        else:
            peak = max(peak, sidecars + amount)
    return max(peak, sidecars + sum(amounts[container.name] for container in pod.containers))

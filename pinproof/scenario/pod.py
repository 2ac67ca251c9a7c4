"""Pods of a scenario: the part of a `v1.Pod` that decides memory, CPUs and life cycle.

Requests are what the kubelet sees after defaulting: a resource with a limit and no request has its limit as request
(behaviour.md 3.1). Everything else of a full manifest is refused by the reader, so that nothing is silently ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pinproof.scenario.quantity import Quantity

Resources = tuple[tuple[str, Quantity], ...]
"""(resource name such as `memory`, `cpu`, `hugepages-2Mi`; quantity), ascending by name."""

OtherHints = tuple[tuple[str, tuple[tuple[tuple[int, ...] | None, bool], ...] | None], ...]
"""What a hint provider beside the CPU and memory managers, such as a device plugin, answers: (resource name; its hints as
(NUMA node ids, ascending, or None for any; preferred), or None for no preference), ascending by name. An empty tuple of
hints is "impossible"."""

QosClass = Literal["Guaranteed", "Burstable", "BestEffort"]

Way = Literal["", "scheduler", "Deployment", "DaemonSet", "static"]
"""How a pod comes to its node. Empty: the step gives it to the node itself, by whatever way the subject has. `scheduler`: the
cluster's scheduler does. `Deployment`, `DaemonSet`: such a controller makes it, and the scheduler places it. `static`: the node
has its manifest."""

CONTROLLERS = ("Deployment", "DaemonSet")
"""Ways by which another pod is made for one that was rejected."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container or init container."""

    name: str
    requests: Resources = ()
    """After defaulting from the limits."""

    limits: Resources = ()
    restart_always: bool = False
    """True for a restartable init container, a sidecar; always False for an app container."""

    hints: OtherHints = ()
    """Scope container: what another hint provider answers; () is a provider without preference."""

    touch: Quantity | None = None
    """Memory that its process writes to, where processes touch any; None: as much as the subject chooses."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, by the name that the steps of the scenario use."""

    name: str
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...] = ()
    restart_policy: Literal["Always", "OnFailure", "Never"] = "Always"
    requests: Resources = ()
    """`spec.resources.requests` after defaulting from the limits: pod-level resources (behaviour.md 10.1, 10.3)."""

    limits: Resources = ()
    """`spec.resources.limits`."""

    hints: OtherHints = ()
    """Scope pod: what another hint provider answers for the pod."""

    by: Way = ""
    """How it comes to its node."""

    replaces: str = ""
    """The rejected pod whose controller has made this one for it; empty for every other pod."""

    @property
    def all_containers(self) -> tuple[Container, ...]:
        """Init containers first, then app containers: the order in which the Topology Manager admits them."""
        return self.init_containers + self.containers

    @property
    def has_resources(self) -> bool:
        """Whether it has pod-level resources."""
        return bool(self.requests or self.limits)

    def qos(self, *, pod_level: bool = True) -> QosClass:
        """QoS class from cpu and memory of every container and init container (`GetPodQOS`).

        Pod-level resources decide alone where they are set, unless `pod_level=False`: a kubelet without the feature.
        """
        requested = limited = False
        guaranteed = True
        whole = [(self.requests, self.limits)] if pod_level and self.has_resources else []
        for asked, bound in whole or [(container.requests, container.limits) for container in self.all_containers]:
            requests = _positive(asked)
            limits = _positive(bound)
            requested |= bool(requests)
            limited |= bool(limits)
            guaranteed &= limits.keys() == {"cpu", "memory"} and requests == limits
        if not requested and not limited:
            return "BestEffort"
        return "Guaranteed" if guaranteed else "Burstable"


def _positive(resources: Resources) -> dict[str, Quantity]:
    return {name: q for name, q in resources if q.nano > 0 and name in {"cpu", "memory"}}

"""`resource_manager_*`: counters that exist with gate `PodLevelResourceManagers` (1.36, #134768; renamed in 1.37, #138738).

They count every exclusive allocation, of ordinary pods too, by where it came from: the node, or a pod's own resources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Literal

from pinproof.reference.behaviour import Behaviour
from pinproof.reference.configuration import Settings
from pinproof.reference.outcomes import AllocationFailed
from pinproof.reference.requests import Asked

Resource = Literal["cpu", "memory"]
Source = Literal["node", "pod"]


class ResourceCounters:
    """Counts into `counts`, or nowhere where the counters do not exist."""

    def __init__(self, counts: Counter[str], settings: Settings, behaviour: Behaviour) -> None:
        self._counts = counts
        self._exist = settings.pod_level_managers
        self._renamed = behaviour.prefixes_resource_manager_counters

    def served(self, resource: Resource, *, times: int = 1) -> None:
        """A container was served from the node; memory counts every type."""
        self._allocated(resource, "node", times)
        self._assigned(resource, "node_exclusive")

    def failed(self, resource: Resource, source: Source) -> None:
        """An allocation failed."""
        self._count("allocation_errors_total", f'resource_name="{resource}",source="{source}"')

    @contextmanager
    def of_pod(self, resource: Resource) -> Iterator[None]:
        """An allocation for a pod as a whole, which may fail."""
        try:
            yield
        except AllocationFailed:
            self.failed(resource, "pod")
            raise

    def parted(self, resource: Resource, asks: Asked, exclusive: AbstractSet[str]) -> None:
        """A pod's resources were given to its containers, to these for themselves."""
        self._allocated(resource, "pod", len(asks.names))
        for name in asks.names:
            self._assigned(resource, "pod_exclusive" if name in exclusive else "pod_shared")

    def _allocated(self, resource: Resource, source: Source, times: int) -> None:
        self._count("allocations_total", f'resource_name="{resource}",source="{source}"', times)

    def _assigned(self, resource: Resource, kind: str) -> None:
        metric = "container_assignments_total" if self._renamed else "container_assignments"
        self._count(metric, f'assignment_type="{kind}",resource_name="{resource}"')

    def _count(self, metric: str, labels: str, times: int = 1) -> None:
        if self._exist and times:
            prefix = "kubelet_resource_manager" if self._renamed else "resource_manager"
            self._counts[f"{prefix}_{metric}{{{labels}}}"] += times

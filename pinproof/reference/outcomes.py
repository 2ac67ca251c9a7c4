"""Refusals that Kubernetes itself promises. One tree, named by cause; anything else that escapes the model is our bug.

The texts are the kubelet's own, to the letter, because users and controllers read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

UNEXPECTED = "UnexpectedAdmissionError"
"""Reason of a pod that a manager could not serve."""

AFFINITY = "TopologyAffinityError"
"""Reason of a pod whose merged hint the Topology Manager's policy does not take."""


class Refusal(Exception):
    """Base of every expected refusal."""


def every_order(parts: Sequence[str], separator: str = "") -> dict[str, float]:
    """A text of parts in the order of a Go map: each order at least half as likely as if all were equally so."""
    texts = [separator.join(order) for order in permutations(parts)]
    return dict.fromkeys(texts, 1 / (2 * len(texts)))


class StartRefused(Refusal):
    """The kubelet does not start; the text is part of its last words."""


class Rejected(Refusal):
    """A pod is rejected at admission."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(f"{reason}: {message}")

    @property
    def status_message(self) -> str:
        """As `status.message` carries it (1.26 and newer)."""
        return f"Pod was rejected: {self.message}"


EMPTY_POOL = "EmptyPodSharedPoolError"
"""Reason of a managed pod whose exclusive containers leave nothing for a shared one (1.36)."""

NOT_SUPPORTED = "PodLevelResourcesNotSupported"
"""Reason of a pod with pod-level resources on a kubelet without them (1.34)."""


class AllocationFailed(Refusal):
    """A resource manager cannot serve a container; the admission ends with `UnexpectedAdmissionError`."""

    def rejection(self) -> Rejected:
        """How the Topology Manager reports it."""
        return Rejected(UNEXPECTED, f"Allocate failed due to {self}, which is unexpected")


class EmptyPool(AllocationFailed):
    """A managed pod leaves nothing for one of its shared containers."""

    def rejection(self) -> Rejected:
        """How the Topology Manager reports it."""
        return Rejected(EMPTY_POOL, str(self))


def not_aligned(*, managed: bool = False, scope: str = "container") -> Rejected:
    """The merged hint does not satisfy the Topology Manager's policy; a managed pod is told in other words (1.36)."""
    if not managed:
        return Rejected(AFFINITY, "Resources cannot be allocated with Topology locality")
    how = "under pod-scope topology manager" if scope == "pod" else "with a container-level topology manager"
    return Rejected(AFFINITY, f"Pod Scope pod with pod-level resources failed admission {how}")


NIL_POINTER = "invalid memory address or nil pointer dereference"
NO_DEFAULT = "[memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available"
NO_DEFAULT_PREFERRED = "[memorymanager] failed to find the default preferred hint"
NO_EXTENSION = "[memorymanager] failed to find NUMA nodes to extend the current topology hint"
NO_EXTENSION_PREFERRED = "[memorymanager] failed to find the extended preferred hint"
GROUP_VIOLATION = "[memorymanager] preferred hint violates NUMA node allocation"
NOT_INT64 = "[memorymanager] failed to represent quantity as int64"


class KubeletPanics(Refusal):
    """The kubelet crashes: a defect of the release that the reference models as it is."""

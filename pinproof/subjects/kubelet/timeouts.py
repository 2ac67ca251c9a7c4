"""How long to wait for what: every wait has a name here, and one factor stretches them all.

A wait ends as soon as the awaited state is seen, so these are limits, not delays. On a slow machine set `PINPROOF_SLOW=3`
(or give the factor to the subject) and every limit is three times as long.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Literal

from pinproof.errors import InputError, Problem

Wait = Literal[
    "version",
    "setup",
    "ready",
    "stop",
    "admission",
    "readmission",
    "trouble",
    "exit",
    "finish",
    "removal",
    "clean",
    "reply",
    "engine",
    "cluster",
    "prepare",
    "account",
    "observe",
    "metrics",
    "api",
    "event",
    "controller",
    "placement",
    "power",
    "delete",
    "outage",
    "helper",
    "namespace",
    "drain",
    "reconfiguration",
]

SECONDS: Final[dict[Wait, float]] = {
    "version": 20,  # `kubelet --version`
    "setup": 30,  # namespaces, mounts, made files
    "ready": 60,  # from the start of the process until it has started its managers
    "stop": 20,  # from the signal until the process has ended
    "admission": 30,  # from the manifest until the pod is rejected or its containers run
    "readmission": 60,  # from readiness after a restart until every pod has been admitted again or rejected
    "trouble": 150,  # as these two, where calls to the runtime fail: a kubelet tries a sandbox again after up to 15 s
    "exit": 60,  # from a container's end until the kubelet has acted on it; covers one crash-loop pause of 10 s
    "finish": 60,  # from the last container's end until the pod is over
    "removal": 30,  # from the manifest's removal until the kubelet has forgotten the pod
    "clean": 30,  # until a node that served a scenario has empty books again
    "reply": 20,  # what the node agent may take for a request beyond the wait that the request asks for
    "engine": 30,  # what a container engine answers at once
    "cluster": 600,  # from `kind create cluster` to its end; a registry's image is pulled meanwhile
    "prepare": 120,  # what a node of a cluster needs once
    "account": 60,  # from the namespace until it has its default service account
    "observe": 10,  # until the kubelet has answered what it is asked after a step
    "metrics": 20,  # until the API server gets the metrics of a kubelet
    "api": 20,  # an answer of the API server
    "event": 20,  # from a pod's rejection until the API server has its event
    "controller": 20,  # until a controller has made a pod, the pause of a DaemonSet before the fourth included
    "placement": 20,  # until the scheduler has given a pod to its node
    "power": 90,  # from the cut until the node's systemd runs again
    "delete": 120,  # `kind delete cluster`
    "outage": 90,  # how long an API server that answered before may be gone
    "helper": 120,  # from the creation of the pod that looks at a node until it runs; its image is pulled meanwhile
    "namespace": 60,  # until a namespace that is being deleted is no more
    "drain": 300,  # until pods that were evicted are gone
    "reconfiguration": 150,  # until a node's kubelet runs with other files, or after "ready" with its own again
}

VARIABLE: Final = "PINPROOF_SLOW"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits of this run."""

    scale: float = 1.0

    @classmethod
    def from_environment(cls, scale: float | None = None) -> Timeouts:
        """The factor given, else that of `PINPROOF_SLOW`, else 1. Raises InputError if it is not a positive number."""
        text = str(scale) if scale is not None else os.environ.get(VARIABLE, "") or "1"
        try:
            factor = float(text)
        except ValueError:
            factor = 0.0
        if not 0 < factor < 1000:
            raise InputError(VARIABLE, Problem("", f"{text!r} is not a factor; give a number above 0 such as 3"))
        return cls(factor)

    def seconds(self, wait: Wait) -> float:
        """The limit of one wait in seconds."""
        return SECONDS[wait] * self.scale

    def milliseconds(self, wait: Wait) -> int:
        """The limit of one wait in milliseconds."""
        return round(self.seconds(wait) * 1000)

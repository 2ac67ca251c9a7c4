"""A scenario's pod as the API server is given it. Pure."""

from __future__ import annotations

from typing import Any

from pinproof.scenario.pod import Container, Pod, Resources
from pinproof.subjects.kind import places

Document = dict[str, Any]

GRACE_SECONDS = 1
"""For a container that is told to end; ours do at once. 0 would take the pod from the API server before it has ended."""

SCHEDULER = "pinproof.dev/none"
"""Nobody schedules it: it is bound to its node by the step that admits it."""

LABEL = "pinproof.dev/node"

PRIORITY = "system-node-critical"
"""A static pod is critical, and the reference speaks of static pods: one that does not fit is refused after a search for pods
to preempt, where an ordinary one is refused at once (`OutOfcpu`). The managers treat both alike."""


def pod(pod: Pod, *, name: str, node: str) -> Document:
    """The pod, under a name that no other pod of the cluster has."""
    spec: Document = {
        "schedulerName": SCHEDULER,
        "priorityClassName": PRIORITY,
        "hostNetwork": True,
        "restartPolicy": pod.restart_policy,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "tolerations": [{"operator": "Exists"}],
        "containers": [_container(container) for container in pod.containers],
    }
    if pod.has_resources:
        spec["resources"] = _resources(pod.requests, pod.limits)
    if pod.init_containers:
        spec["initContainers"] = [_container(container) for container in pod.init_containers]
    metadata = {"name": name, "namespace": places.NAMESPACE, "labels": {LABEL: node}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def binding(name: str, node: str) -> Document:
    """What a scheduler would say."""
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name, "namespace": places.NAMESPACE},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }


def _container(container: Container) -> Document:
    made: Document = {
        "name": container.name,
        "image": places.IMAGE,
        "imagePullPolicy": "Never",
        "resources": _resources(container.requests, container.limits),
    }
    if container.restart_always:
        made["restartPolicy"] = "Always"
    return made


def _resources(requests: Resources, limits: Resources) -> Document:
    return {"requests": _quantities(requests), "limits": _quantities(limits)}


def _quantities(resources: Resources) -> dict[str, str]:
    return {name: quantity.written or str(quantity) for name, quantity in resources}

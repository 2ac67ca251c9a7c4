"""A scenario's pod as the API server is given it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pinproof.scenario.pod import Container, Pod, Resources

Document = dict[str, Any]

GRACE_SECONDS = 1
"""For a container that is told to end; ours do at once. 0 would take the pod from the API server before it has ended."""

SCHEDULER = "pinproof.dev/none"
"""Nobody schedules it: it is bound to its node by the step that admits it."""

LABEL = "pinproof.dev/node"


@dataclass(frozen=True, slots=True)
class Home:
    """Where the pods of scenarios live, and as what."""

    namespace: str
    image: str
    """What their containers run: a program that waits."""

    pull: str = "Never"
    """`imagePullPolicy`."""

    priority: str = ""
    """Priority class; empty for that of every pod."""

    @property
    def pods(self) -> str:
        """Path of the collection."""
        return f"/api/v1/namespaces/{self.namespace}/pods"


def pod(pod: Pod, home: Home, *, name: str, node: str) -> Document:
    """The pod, under a name that no other pod of the cluster has."""
    spec: Document = {
        "schedulerName": SCHEDULER,
        "hostNetwork": True,
        "restartPolicy": pod.restart_policy,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "tolerations": [{"operator": "Exists"}],
        "containers": [_container(container, home) for container in pod.containers],
    }
    if home.priority:
        spec["priorityClassName"] = home.priority
    if pod.has_resources:
        spec["resources"] = _resources(pod.requests, pod.limits)
    if pod.init_containers:
        spec["initContainers"] = [_container(container, home) for container in pod.init_containers]
    metadata = {"name": name, "namespace": home.namespace, "labels": {LABEL: node}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def binding(name: str, home: Home, *, node: str) -> Document:
    """What a scheduler would say."""
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name, "namespace": home.namespace},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }


def _container(container: Container, home: Home) -> Document:
    made: Document = {
        "name": container.name,
        "image": home.image,
        "imagePullPolicy": home.pull,
        "resources": _resources(container.requests, container.limits),
    }
    if container.restart_always:
        made["restartPolicy"] = "Always"
    return made


def _resources(requests: Resources, limits: Resources) -> Document:
    return {"requests": _quantities(requests), "limits": _quantities(limits)}


def _quantities(resources: Resources) -> dict[str, str]:
    return {name: quantity.written or str(quantity) for name, quantity in resources}

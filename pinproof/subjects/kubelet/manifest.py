"""A pod as a static pod manifest. Pure.

Static pods need no API server, and their order of re-admission after a restart is that of `creationTimestamp`, so it is
ours to choose. Quantities go out as they were written: nobody normalises a static pod's before the kubelet sees them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pinproof.scenario.pod import Container, Pod, Resources

IMAGE: Final = "pinproof.dev/pause:1"
"""Never pulled and never run: the recording runtime has every image and starts no process."""

_EPOCH: Final = datetime(2024, 1, 1, tzinfo=UTC)


def static_pod(pod: Pod, *, uid: str, namespace: str, arrival: int) -> str:
    """The manifest's text; `arrival` orders pods among themselves, one second apart."""
    created = _EPOCH + timedelta(seconds=arrival)
    spec: dict[str, Any] = {
        "hostNetwork": True,
        "restartPolicy": pod.restart_policy,
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [_container(container) for container in pod.containers],
    }
    if pod.has_resources:
        spec["resources"] = {"requests": _quantities(pod.requests), "limits": _quantities(pod.limits)}
    if pod.init_containers:
        spec["initContainers"] = [_container(container) for container in pod.init_containers]
    metadata = {
        "name": pod.name,
        "namespace": namespace,
        "uid": uid,
        "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def _container(container: Container) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": container.name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": _quantities(container.requests), "limits": _quantities(container.limits)},
    }
    if container.restart_always:
        made["restartPolicy"] = "Always"
    return made


def _quantities(resources: Resources) -> dict[str, str]:
    return {name: quantity.written or str(quantity) for name, quantity in resources}

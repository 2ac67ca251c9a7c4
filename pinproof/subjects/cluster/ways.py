"""Pods that do not come by the hand of a step: what the API server is given for them. Pure.

The scheduler places them. Their scheduling gate lets them wait until the step that admits them takes it away; so what a
controller makes in place of a rejected pod waits as well, and no row of them grows unseen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from pinproof.scenario.pod import Pod
from pinproof.subjects.cluster import manifest
from pinproof.subjects.cluster.manifest import Document, Home

GATE: Final = "pinproof.dev/turn"
OWNER: Final = "pinproof.dev/controller"
"""Label of everything that belongs to a controller of a scenario; its value is the controller's name."""

_HOSTNAME: Final = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Controller:
    """One that makes pods."""

    kind: str
    name: str
    first: str
    """The scenario's name of its first pod."""


def collection(kind: str, home: Home) -> str:
    """Path of the controllers of a kind: Deployment, ReplicaSet, DaemonSet."""
    return f"/apis/apps/v1/namespaces/{home.namespace}/{kind.lower()}s"


def gated(pod: Pod, home: Home, *, name: str, node: str) -> Document:
    """A pod that waits for its turn, and then for the scheduler, which may give it to this node alone."""
    made = manifest.pod(pod, home, name=name, node=node)
    del made["spec"]["schedulerName"]
    made["spec"] |= {"schedulingGates": [{"name": GATE}], "nodeSelector": {_HOSTNAME: node}}
    return made


def controller(pod: Pod, home: Home, *, name: str, node: str) -> Document:
    """A controller that wants one such pod on this node."""
    made = gated(pod, home, name=name, node=node)
    labels = {manifest.LABEL: node, OWNER: name}
    return {
        "apiVersion": "apps/v1",
        "kind": pod.by,
        "metadata": {"name": name, "namespace": home.namespace, "labels": labels},
        "spec": {
            "selector": {"matchLabels": {OWNER: name}},
            "template": {"metadata": {"labels": labels}, "spec": made["spec"]},
        },
    }


def static(pod: Pod, home: Home, *, uid: str, name: str, node: str) -> str:
    """The text of the manifest of a static pod."""
    made = manifest.pod(pod, home, name=name, node=node)
    del made["spec"]["schedulerName"]
    made["metadata"]["uid"] = uid
    return json.dumps(made)

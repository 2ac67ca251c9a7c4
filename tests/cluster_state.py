"""Everything that a cluster is, as texts to compare: its objects, the state files and the configuration of its nodes."""

from __future__ import annotations

import difflib
import json
from typing import Any

from pinproof.subjects.cluster.api import Api
from pinproof.subjects.kubelet.timeouts import Timeouts
from tests.somebodys_cluster import Cluster

OF_THE_CLUSTER = ("events", "leases", "componentstatuses", "endpointslices")
"""Collections that a cluster changes by itself: events are of what happened, leases are renewed."""

FILES = (
    "/var/lib/kubelet/memory_manager_state",
    "/var/lib/kubelet/cpu_manager_state",
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/etc/default/kubelet",
)
LOOK = "; ".join(f"echo == {file}; cat {file} 2>/dev/null; echo" for file in FILES)
LISTS = (
    "echo == pods; ls /var/lib/kubelet/pods; echo == images; ctr -n k8s.io images list -q | sort; "
    "echo == folder; ls -A /var/lib/kubelet; echo == file; stat -c '%i %a %u %g %Y' /var/lib/kubelet/config.yaml"
)


def state(cluster: Cluster) -> dict[str, str]:
    """Path of an object, or node and file → text."""
    api = Api(cluster.kubeconfig, timeouts=Timeouts())
    found = {}
    for path in collections(api):
        for item in api.get(path)["items"]:
            metadata = item["metadata"]
            found[f"{path} {metadata.get('namespace', '')}/{metadata['name']}"] = json.dumps(
                lasting(item), sort_keys=True
            )
    for node in cluster.workers:
        found[f"files of {node}"] = cluster.inside(node, "sh", "-c", f"{LOOK}; {LISTS}")
    return found


def collections(api: Api) -> list[str]:
    """Paths of everything that can be listed."""
    groups = ["/api/v1"]
    groups += [f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"]]
    paths = []
    for group in groups:
        names = [each["name"] for each in api.get(group)["resources"] if "list" in each["verbs"]]
        paths += [f"{group}/{name}" for name in names if name not in OF_THE_CLUSTER]
    return paths


def lasting(item: dict[str, Any]) -> dict[str, Any]:
    """An object without what changes by itself: its version, and how a node is right now.

    What a kubelet reports of a pod's resources it reads from the pod's control group, and corrects a minute later.
    """
    metadata = {
        name: value for name, value in item["metadata"].items() if name not in ("resourceVersion", "managedFields")
    }
    made = {**item, "metadata": metadata}
    if "nodeInfo" in (item.get("status") or {}):
        status = {name: value for name, value in item["status"].items() if name != "images"}
        conditions = [
            {k: v for k, v in each.items() if k not in ("lastHeartbeatTime", "lastTransitionTime")}
            for each in status["conditions"]
        ]
        made["status"] = {**status, "conditions": conditions}
    if "qosClass" in (item.get("status") or {}):
        made["status"] = {name: value for name, value in item["status"].items() if name != "resources"}
    return made


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What is not as it was."""
    return [
        "\n".join([f"{name}:", *_lines(before.get(name, "absent"), after.get(name, "absent"))])
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _lines(before: str, after: str) -> list[str]:
    compared = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in compared if line[:2] not in ("--", "++", "@@")]

"""A scenario's configuration as a `KubeletConfiguration` for a machine of its own. Pure.

As on the made nodes of the kubelet subject, with cgroups, a container runtime and a disk that are real.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pinproof.scenario.config import KubeletConfig
from pinproof.subjects.kubelet import configuration

RUNTIME_SOCKET: Final = "/run/containerd/containerd.sock"

_REAL: Final[Mapping[str, Any]] = {
    "containerRuntimeEndpoint": f"unix://{RUNTIME_SOCKET}",
    "cgroupsPerQOS": True,
    "enforceNodeAllocatable": ["pods"],
    "cpuCFSQuota": False,  # a container that may use 5m starts for seconds otherwise
}


def document(config: KubeletConfig, *, minor: int) -> dict[str, Any]:
    """The KubeletConfiguration for a kubelet of a minor."""
    made = {**configuration.document(config, minor=minor, user_namespace=False), **_REAL}
    made["featureGates"] = dict(config.feature_gates)
    return made


def text(config: KubeletConfig, *, minor: int) -> str:
    """The configuration file; JSON is YAML."""
    return json.dumps(document(config, minor=minor), indent=1) + "\n"

"""A scenario's configuration as a `KubeletConfiguration` document and the process's arguments. Pure.

Two layers. `_base` is what boots a kubelet inside a node's namespaces, without an API server, cgroups or network; it says
nothing about memory, CPUs or topology. Over it lie the fields that the scenario sets, and only those: a field that the
scenario leaves out is left out here, so the kubelet's own default is what is tested.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pinproof.scenario.config import KubeletConfig
from pinproof.subjects.kubelet import places

Document = dict[str, Any]

SINCE: Final[dict[str, int]] = {
    "podLogsDir": 30,
    "failCgroupV1": 31,
    "crashLoopBackOff": 35,
}
"""Fields of the base that older kubelets do not know → first minor that has them (or has their gate on by default)."""

ENVIRONMENT: Final = {"GOGC": "400"}
"""Of the kubelet process: with some tens of megabytes in use, collecting garbage less often costs nothing."""

_UNSET: Final = KubeletConfig()


IN_PLACE_SINCE = 36
"""First minor in which in-place resize of pod-level resources is on by default."""


def minor_of(version: str) -> int:
    """36 for `1.36.3`, `v1.36.0-rc.1` or `1.36`. Raises ValueError for anything else."""
    major, minor, *_ = version.removeprefix("v").split(".")
    if major != "1":
        raise ValueError(f"{version!r} is not a Kubernetes 1.x version")
    return int(minor)


def document(config: KubeletConfig, *, minor: int, user_namespace: bool) -> Document:
    """The KubeletConfiguration of a scenario for a kubelet of a minor; `user_namespace`: the node runs unprivileged."""
    base = {name: value for name, value in _base().items() if SINCE.get(name, 0) <= minor}
    made = {**base, **asked(config)}
    made["featureGates"] = {
        "KubeletInUserNamespace": user_namespace,
        **gates_without_pod_cgroups(config, minor),
        **dict(config.feature_gates),
    }
    return made


def gates_without_pod_cgroups(config: KubeletConfig, minor: int) -> dict[str, bool]:
    """From 1.36 a kubelet reads back the pod cgroup of a pod with pod-level resources, and without cgroups per QoS it crashes.

    A kubelet whose gate for such resources is off already is left to say what it thinks of gates that depend on it.
    """
    if minor < IN_PLACE_SINCE or not config.gate("PodLevelResources", default=True):
        return {}
    return {"InPlacePodLevelResourcesVerticalScaling": False}


def text(config: KubeletConfig, *, minor: int, user_namespace: bool) -> str:
    """The configuration file; JSON is YAML."""
    return json.dumps(document(config, minor=minor, user_namespace=user_namespace), indent=1) + "\n"


def arguments() -> list[str]:
    """Arguments of the kubelet process."""
    return [
        f"--config={places.CONFIG}",
        f"--root-dir={places.ROOT}",
        f"--cert-dir={places.CERTIFICATES}",
        f"--node-ip={places.NODE_IP}",
        f"--hostname-override={places.NODE_NAME}",
        "--v=2",
        # "… the worker can now stop" is the only positive sign that a pod is over (see lifecycle).
        "--vmodule=pod_workers=4,event=3",
    ]


def _base() -> Document:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        # Nobody else: no API server, one file source, our runtime.
        "staticPodPath": places.MANIFESTS,
        "containerRuntimeEndpoint": f"unix://{places.RUNTIME_SOCKET}",
        "registerNode": False,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}, "x509": {}},
        "authorization": {"mode": "AlwaysAllow"},
        "readOnlyPort": places.READ_ONLY_PORT,
        "healthzPort": 0,
        "eventRecordQPS": 0,
        "enableControllerAttachDetach": False,
        # Nothing of the host: no cgroups, swap, tables, devices, disks, resolver.
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "resolvConf": "",
        "volumePluginDir": f"{places.ROOT}/volume-plugins",
        "podLogsDir": "/var/log/pods",
        "imageGCHighThresholdPercent": 100,
        # Nothing by time: what happens is caused by a step.
        "cpuManagerReconcilePeriod": "1h",
        "volumeStatsAggPeriod": "1h",
        "crashLoopBackOff": {"maxContainerRestartPeriod": "1s"},
    }


def asked(config: KubeletConfig) -> Document:
    """The fields that the scenario sets."""
    fields: Document = {name: value for name, (value, unset) in _plain(config).items() if value != unset}
    if config.reserved_memory:
        fields["reservedMemory"] = [
            {
                "numaNode": entry.numa_node,
                "limits": {name: quantity.written or str(quantity) for name, quantity in entry.limits},
            }
            for entry in config.reserved_memory
        ]
    if config.eviction_hard is not None:
        fields["evictionHard"] = dict(config.eviction_hard)
    return fields


def _plain(config: KubeletConfig) -> dict[str, tuple[Any, Any]]:
    """Field → (value, value when unset), for the fields that need no thought."""
    return {
        "memoryManagerPolicy": (config.memory_manager_policy, _UNSET.memory_manager_policy),
        "topologyManagerPolicy": (config.topology_manager_policy, _UNSET.topology_manager_policy),
        "topologyManagerScope": (config.topology_manager_scope, _UNSET.topology_manager_scope),
        "topologyManagerPolicyOptions": (dict(config.topology_manager_policy_options), {}),
        "cpuManagerPolicy": (config.cpu_manager_policy, _UNSET.cpu_manager_policy),
        "reservedSystemCPUs": (config.reserved_system_cpus, _UNSET.reserved_system_cpus),
        "kubeReserved": (dict(config.kube_reserved), {}),
        "systemReserved": (dict(config.system_reserved), {}),
        "mergeDefaultEvictionSettings": (config.merge_default_eviction_settings, False),
    }

"""A scenario's configuration on a node that kubeadm made. Pure.

kubeadm's document stays as it is, with the scenario's fields in it and a few of ours: what would otherwise happen by time or
by the state of this machine's disks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine
from pinproof.subjects.kind import places
from pinproof.subjects.kubelet.configuration import SINCE, asked, gates_without_pod_cgroups

Document = dict[str, Any]

ARGUMENTS: Final = ("--v=2", "--vmodule=pod_workers=4,event=3")
"""Beside kubeadm's: only the log says when a kubelet has admitted a pod, and when nothing of it is left."""

_OURS: Final[Mapping[str, Any]] = {
    "cpuCFSQuota": False,  # a container that may use 5m starts for seconds otherwise
    "cpuManagerReconcilePeriod": "1h",
    "crashLoopBackOff": {"maxContainerRestartPeriod": "1s"},
    "failCgroupV1": False,
    "makeIPTablesUtilChains": False,  # pods use the network of their node
    "serializeImagePulls": False,
}

_DISK_SIGNALS: Final = {"nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"}
"""How full this machine's disks are is not the scenario's business."""

_DEFAULT_THRESHOLD: Final = {"memory.available": "100Mi"}


_RESIZES: Final = (33, 34)
"""Minors in which pods are resized by default and the gate for it is not locked."""

_WITHOUT_CGROUPS: Final[Mapping[str, Any]] = {"cgroupsPerQOS": False, "enforceNodeAllocatable": []}


def may_have_cgroups(machine: Machine, config: KubeletConfig, here: CpuSet) -> bool:
    """Whether a kubelet can make its cgroups on a host with the CPUs `here`.

    Under CPU manager policy `none` it writes all CPUs of the machine into the cgroup of all pods, and the kernel does not
    take CPUs that it does not have. The static policy writes none.
    """
    return config.cpu_manager_policy != "none" or machine.cpus <= here


def document(base: Document, config: KubeletConfig, *, minor: int, cgroups: bool) -> Document:
    """The KubeletConfiguration for a kubelet of a minor; `base` is what kubeadm wrote. `cgroups`: for QoS classes and pods."""
    ours = {name: value for name, value in _OURS.items() if SINCE.get(name, 0) <= minor}
    made = {**base, **ours, **({} if cgroups else _WITHOUT_CGROUPS), **asked(config)}
    made["evictionHard"] = _eviction(config)
    without = {} if cgroups else _gates_without_cgroups(config, minor)
    gates = {**(base.get("featureGates") or {}), **without, **dict(config.feature_gates)}
    if gates:
        made["featureGates"] = gates
    return made


def _gates_without_cgroups(config: KubeletConfig, minor: int) -> Mapping[str, bool]:
    """Beside those of the kubelet subject, that of resizing pods of an API server, where it can be turned off.

    A kubelet that finds a container of an older release takes it for one to be resized, reads the pod's cgroup, which is not
    there, and crashes (kubernetes#137993).
    """
    resizing = {"InPlacePodVerticalScaling": False} if minor in _RESIZES else {}
    return {**gates_without_pod_cgroups(config, minor), **resizing}


def _eviction(config: KubeletConfig) -> Mapping[str, str]:
    """The thresholds asked for. Unset ones are the kubelet's own, which are spelled out, for the disks are not looked at."""
    if config.eviction_hard is None:
        return {**_DEFAULT_THRESHOLD, **_DISK_SIGNALS}
    given = dict(config.eviction_hard)
    return {**_DISK_SIGNALS, **given} if config.merge_default_eviction_settings else given


def text(base: Document, config: KubeletConfig, *, minor: int, cgroups: bool) -> str:
    """The configuration file."""
    return yaml.safe_dump(document(base, config, minor=minor, cgroups=cgroups))


def drop_in(log: str) -> str:
    """For systemd: a kubelet that ends stays down, and its words go to a file."""
    return (
        "[Unit]\nStartLimitIntervalSec=0\n"
        f"[Service]\nRestart=no\nStandardOutput=append:{log}\nStandardError=append:{log}\n{_lazy()}"
    )


def runtime_drop_in() -> str:
    """For systemd: the container runtime, and the programs that it starts for a moment each, do not collect garbage early."""
    return f"[Service]\n{_lazy()}"


def _lazy() -> str:
    return "".join(f"Environment={name}={value}\n" for name, value in places.LAZY.items())


def environment() -> str:
    """The file with arguments that kubeadm's unit reads."""
    return f"KUBELET_EXTRA_ARGS={' '.join(ARGUMENTS)}\n"

"""The document that `kind create cluster` is given. Pure.

Nothing runs on a worker but the pods of scenarios: no network plug-in, no proxy, no DNS. Pods use the network of their node.
So the books of a fresh worker are those of an empty machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from pinproof.subjects.kind import places
from pinproof.subjects.kubelet.made import CPUS, HUGEPAGES, NODES

SKIPPED = ("preflight", "addon/kube-proxy", "addon/coredns")
"""Phases of `kubeadm init`; a list of a patch replaces kind's own, so `preflight` is repeated."""

KIND_WRITES_V1BETA4: Final = 36
"""The first minor for which kind writes documents of kubeadm's API v1beta4 (`pkg/cluster/internal/kubeadm/config.go`)."""

PATIENCE: Final = "5m0s"
_WAITS: Final = ("controlPlaneComponentHealthCheck", "kubeletHealthCheck", "kubernetesAPICall", "tlsBootstrap")
"""Of the `timeouts` of v1beta4; each is a minute or four without us."""

MACHINE_MOUNTS = {
    "node": NODES,
    "cpu": CPUS,
    "hugepages": HUGEPAGES,
    "meminfo": "/proc/meminfo",
    "cpuinfo": "/proc/cpuinfo",
}
"""Folder or file of a made machine → where a node sees it. runc allows these two of /proc and few others."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster to be made."""

    name: str
    image: str
    machines: Sequence[Path]
    """Folder of the made machine of each worker."""

    programs: Path
    """Folder with what the workers run."""

    wrapper: Path | None = None
    """OCI runtime wrapper; None where the image has it."""

    minor: int = 36
    """Kubernetes minor of the image."""


def document(plan: Plan) -> str:
    """The configuration of the cluster."""
    made: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": plan.name,
        "networking": {"disableDefaultCNI": True, "kubeProxyMode": "none"},
        "nodes": [
            {"role": "control-plane", "image": plan.image, "extraMounts": _wrapper(plan)},
            *({"role": "worker", "image": plan.image, "extraMounts": _mounts(plan, m)} for m in plan.machines),
        ],
        "kubeadmConfigPatches": [yaml.safe_dump(patch) for patch in patches(plan.minor)],
    }
    made["containerdConfigPatches"] = [_containerd(wrapped=plan.wrapper is not None)]
    return yaml.safe_dump(made, sort_keys=False)


def patches(minor: int) -> Iterator[Mapping[str, Any]]:
    """What is changed in kubeadm's documents, as kind writes them for a minor.

    Nobody misses what this cluster holds when the machine dies, so etcd does not wait for its disk; no manager has a rival, so
    none asks for a lease. A busy machine is given more time than a minute for its first answers, and memory is cheaper there than
    the time to collect it.
    """
    lazy = {"extraEnvs": [{"name": name, "value": value} for name, value in places.LAZY.items()]}
    lazy = lazy if minor >= KIND_WRITES_V1BETA4 else {}
    patient = dict.fromkeys(_WAITS, PATIENCE) if minor >= KIND_WRITES_V1BETA4 else {}
    timeouts = {"timeouts": patient} if patient else {}
    alone = {"extraArgs": _arguments(minor, {"leader-elect": "false"}), **lazy}
    etcd = {"local": {"extraArgs": _arguments(minor, {"unsafe-no-fsync": "true"}), **lazy}}
    yield {
        "kind": "ClusterConfiguration",
        "apiServer": lazy,
        "controllerManager": alone,
        "scheduler": alone,
        "etcd": etcd,
    }
    yield {"kind": "InitConfiguration", "skipPhases": list(SKIPPED), **timeouts}
    yield {"kind": "JoinConfiguration", **timeouts}
    yield {"kind": "KubeletConfiguration", "failCgroupV1": False, "cgroupDriver": "cgroupfs"}


def _arguments(minor: int, given: Mapping[str, str]) -> object:
    """Arguments of a component as a document of kubeadm has them: since v1beta4 as a list."""
    if minor >= KIND_WRITES_V1BETA4:
        return [{"name": name, "value": value} for name, value in given.items()]
    return dict(given)


def workers(name: str, number: int) -> tuple[str, ...]:
    """How kind calls the workers of a cluster."""
    return tuple(f"{name}-worker{rank if rank > 1 else ''}" for rank in range(1, number + 1))


def control_plane(name: str) -> str:
    """How kind calls the control plane of a cluster."""
    return f"{name}-control-plane"


def _mounts(plan: Plan, machine: Path) -> list[Mapping[str, Any]]:
    made = [_mount(machine / part, inside) for part, inside in MACHINE_MOUNTS.items()]
    return [*made, _mount(plan.programs, places.PROGRAMS), *_wrapper(plan)]


def _wrapper(plan: Plan) -> list[Mapping[str, Any]]:
    return [_mount(plan.wrapper, places.WRAPPER)] if plan.wrapper else []


def _mount(outside: Path, inside: str) -> Mapping[str, Any]:
    return {"hostPath": str(outside), "containerPath": inside, "readOnly": True}


def _containerd(*, wrapped: bool) -> str:
    """What is changed in containerd's configuration, as kind writes it.

    cgroupfs instead of systemd, with which a pod needs a cgroup of its own: a kubelet cannot always make those here
    (`configuration.may_have_cgroups`). kind's specification of containers has a hook, a script that shows each of them the
    serial number of its node: a third of what a container costs, and nobody looks. What containerd knows need not be on a disk.
    """
    runc = 'plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc'
    name = f'  BinaryName = "{places.WRAPPER}"\n' if wrapped else ""
    return (
        f'[{runc}]\n  base_runtime_spec = ""\n'
        f"[{runc}.options]\n  SystemdCgroup = false\n{name}"
        '[plugins."io.containerd.metadata.v1.bolt"]\n  no_sync = true\n'
    )

"""A cluster that is made by hand, with kind's own command: for the cluster subject it is somebody else's.

python -m tests.somebodys_cluster FOLDER [WORKERS]     makes one, says where its kubeconfig is, and deletes it at the end of input
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinproof import build
from pinproof.build import node_image, runtimes
from pinproof.build.kind_command import kind
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.engine import Engine, running
from pinproof.scenario.topologies import machine
from pinproof.subjects.cluster import image
from pinproof.subjects.kind.cluster_config import MACHINE_MOUNTS, workers
from pinproof.subjects.kind.machines import write

WRAPPER = "/kind/pinproof-oci"

CLUSTER = f"""
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: {{disableDefaultCNI: true}}
nodes: NODES
containerdConfigPatches:
- |-
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    BinaryName = "{WRAPPER}"
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  failCgroupV1: false
  cpuManagerPolicy: static
  reservedSystemCPUs: "0"
  memoryManagerPolicy: Static
  topologyManagerPolicy: single-numa-node
  kubeReserved: {{memory: 924Mi}}
  evictionHard: {{memory.available: 100Mi, nodefs.available: "0%", imagefs.available: "0%"}}
  reservedMemory: [{{numaNode: 0, limits: {{memory: 512Mi}}}}, {{numaNode: 1, limits: {{memory: 512Mi}}}}]
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """It runs."""

    name: str
    folder: Path
    engine: Engine
    number: int

    @property
    def kubeconfig(self) -> Path:
        """Of its administrator."""
        return self.folder / "kubeconfig"

    @property
    def workers(self) -> Sequence[str]:
        """Its nodes that run pods."""
        return workers(self.name, self.number)

    def inside(self, node: str, *command: str, given: str | bytes = b"") -> str:
        """Run a command in a node."""
        arguments = [self.engine.name, "exec", "-i", node, *command]
        text = given.encode() if isinstance(given, str) else given
        env = self.engine.environment()
        done = subprocess.run(arguments, env=env, input=text, capture_output=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def docker(self, *command: str) -> None:
        """Run a command of the engine."""
        subprocess.run([self.engine.name, *command], env=self.engine.environment(), check=True, capture_output=True)

    def kubectl(self, *arguments: str, given: str = "") -> str:
        """What an administrator does, from the control plane."""
        command = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", *arguments]
        return self.inside(f"{self.name}-control-plane", *command, given=given)

    def admit(self, name: str, node: str = "", *, cpu: str, memory: str) -> None:
        """Have a Guaranteed pod of somebody's that runs, on a node or where the scheduler places it."""
        self.kubectl("apply", "-f", "-", given=_pinned_pod(name, node, cpu=cpu, memory=memory))
        self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=180s")


def _pinned_pod(name: str, node: str, *, cpu: str, memory: str) -> str:
    """The document of a Guaranteed pod whose init container has ended when it runs."""

    def container(called: str, seconds: int, **limits: str) -> dict[str, Any]:
        image = {"image": "localhost/pinproof/busybox:1", "imagePullPolicy": "Never"}
        return {"name": called, **image, "command": ["sleep", str(seconds)], "resources": {"limits": limits}}

    spec = {
        **({"nodeName": node} if node else {}),
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "initContainers": [container("i", 1, cpu="1", memory="512Mi")],
        "containers": [container("c", 100_000, cpu=cpu, memory=memory)],
    }
    metadata = {"name": name, "namespace": "default"}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


ON_THE_CONTROL_PLANE = (
    '{"spec": {"template": {"spec": {"nodeSelector": {"node-role.kubernetes.io/control-plane": ""}}}}}'
)

REUSED = "PINPROOF_SOMEBODYS_CLUSTER"
"""Environment variable: the folder of one that runs already, for who works on these tests."""


@contextmanager
def made(
    name: str, folder: Path, *, number: int = 1, topology: str = "two_even", release: str = DEFAULT_RELEASE
) -> Iterator[Cluster]:
    """A cluster of a control plane and so many workers, all on the same made machine, with the image of the helper."""
    with running() as engine:
        if REUSED in os.environ:
            yield Cluster("pinproof-somebodys", Path(os.environ[REUSED]), engine, number)
            return
        folder.mkdir(parents=True, exist_ok=True)
        cluster = Cluster(name, folder, engine, number)
        env = {**engine.environment(), "KUBECONFIG": str(cluster.kubeconfig)}
        create = ["create", "cluster", "--name", name, "--image", node_image.build(release, engine=engine)]
        (folder / "cluster.yaml").write_text(_document(folder, number, topology))
        try:
            subprocess.run(
                [kind(), *create, "--wait", "180s", "--config", str(folder / "cluster.yaml")],
                env=env,
                check=True,
                capture_output=True,
            )
            # Add-ons stay on the control plane, so that every worker has the CPUs that tests reckon with.
            cluster.kubectl("patch", "deployment", "coredns", "-n", "kube-system", "-p", ON_THE_CONTROL_PLANE)
            archive = image.archive(build.runtime(), name=image.DEFAULT)
            for node in cluster.workers:
                cluster.inside(node, "ctr", "-n", "k8s.io", "images", "import", "-", given=archive)
            yield cluster
        finally:
            subprocess.run([kind(), "delete", "cluster", "--name", name], env=env, check=True, capture_output=True)


def _document(folder: Path, number: int, topology: str) -> str:
    nodes = []
    for rank in range(number + 1):
        place = folder / f"machine-{rank}"
        write(place, machine(topology))
        mounts = {place / part: path for part, path in MACHINE_MOUNTS.items()}
        mounts[runtimes.command(runtimes.Command.OCI_RUNTIME)] = WRAPPER
        listed = [{"hostPath": str(a), "containerPath": b, "readOnly": True} for a, b in mounts.items()]
        nodes.append({"role": "worker" if rank else "control-plane", "extraMounts": listed})
    return CLUSTER.replace("NODES", json.dumps(nodes))


if __name__ == "__main__":
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with made("pinproof-somebodys", Path(sys.argv[1]).absolute(), number=number) as there:
        print(there.kubeconfig, flush=True)  # noqa: T201  # for who works with it by hand
        sys.stdin.read()

"""A cluster of the home-built node image, with the recording OCI runtime in its node. Needs an engine: `tox -e kind`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pinproof.build import node_image, runtimes
from pinproof.build.kind_command import kind
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.engine import Engine, running
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.topologies import machine
from pinproof.subjects.kind.cluster_config import MACHINE_MOUNTS
from pinproof.subjects.kind.machines import write

pytestmark = pytest.mark.engine

NAME = "pinproof-image-test"
NODE = f"{NAME}-control-plane"
RELEASE = os.environ.get("PINPROOF_NODE_IMAGE_RELEASE", DEFAULT_RELEASE)
WRAPPER = "/kind/pinproof-oci"
WAIT_SECONDS = 180.0

CLUSTER = f"""
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: {{disableDefaultCNI: true}}
nodes:
- role: control-plane
  extraMounts: MOUNTS
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
  kubeReserved: {{memory: 512Mi}}
  evictionHard: {{memory.available: 100Mi, nodefs.available: "0%", imagefs.available: "0%"}}
  reservedMemory: [{{numaNode: 0, limits: {{memory: 612Mi}}}}]
"""
"""On a machine of two NUMA nodes, with eight CPUs and 10 GiB each."""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: pinned}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: localhost/pinproof/busybox:1
    imagePullPolicy: Never
    command: [sleep, "100000"]
    resources: {limits: {cpu: "2", memory: 1Gi}}
"""

In = Callable[..., str]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def node(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[In]:
    """Runs commands in the one node of a cluster; what they say."""
    image = node_image.build(RELEASE, engine=engine)
    work = tmp_path_factory.mktemp("cluster")
    write(work / "machine", machine("two_even"))
    mounts = {work / "machine" / part: path for part, path in MACHINE_MOUNTS.items()} | {
        runtimes.oci_runtime(): WRAPPER
    }
    listed = [{"hostPath": str(a), "containerPath": b, "readOnly": True} for a, b in mounts.items()]
    (work / "cluster.yaml").write_text(CLUSTER.replace("MOUNTS", json.dumps(listed)))
    env = {**engine.environment(), "KUBECONFIG": str(work / "kubeconfig")}
    create = ["create", "cluster", "--name", NAME, "--image", image, "--wait", f"{WAIT_SECONDS:.0f}s"]

    def inside(*command: str, given: str = "") -> str:
        arguments = [engine.name, "exec", "-i", NODE, *command]
        done = subprocess.run(arguments, env=env, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        subprocess.run([kind(), *create, "--config", str(work / "cluster.yaml")], env=env, check=True)
        yield inside
    finally:
        subprocess.run([kind(), "delete", "cluster", "--name", NAME], env=env, check=True)


def kubectl(node: In, *arguments: str, given: str = "") -> str:
    return node("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", *arguments, given=given)


def parsed(cpus: str) -> set[int]:
    return set(CpuSet.parse(cpus))


def eventually(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(1)


@pytest.fixture(scope="module")
def pinned(node: In) -> dict[str, Any]:
    """The record of a pod with CPUs of its own."""
    eventually(lambda: "default" in kubectl(node, "get", "serviceaccounts"), "the default service account")
    kubectl(node, "apply", "-f", "-", given=POD)
    kubectl(node, "wait", "--for=condition=Ready", "pod/pinned", f"--timeout={WAIT_SECONDS:.0f}s")
    uid = kubectl(node, "get", "pod", "pinned", "-o", "jsonpath={.metadata.uid}")
    records = [json.loads(line) for line in node("sh", "-c", "cat /var/lib/pinproof/told/*.json").splitlines()]
    found: dict[str, Any] = next(record for record in records if record["uid"] == uid and record["container"] == "c")
    return found


def test_everything_runs(node: In) -> None:
    """The node is ready and of this release; proxy and DNS, too, come from the image alone."""

    def all_run() -> bool:
        pods = kubectl(node, "get", "pods", "-n", "kube-system", "--no-headers").splitlines()
        return len(pods) >= 7 and all(pod.split()[1:3] == ["1/1", "Running"] for pod in pods)

    eventually(all_run, "all pods of kube-system")

    ready = kubectl(node, "get", "nodes", "--no-headers").split()
    assert ready[1] == "Ready"
    assert ready[-1] == f"v{RELEASE}"
    assert "0 loaded units listed" in node("systemctl", "--failed")


def test_what_the_kernel_is_told_is_recorded(node: In, pinned: dict[str, Any]) -> None:
    """By pod and container, as the kubelet has it in its books; the container runs, whether this host has them or not."""
    books = json.loads(node("cat", "/var/lib/kubelet/cpu_manager_state"))
    memory = json.loads(node("cat", "/var/lib/kubelet/memory_manager_state"))

    assert (pinned["namespace"], pinned["pod"]) == ("default", "pinned")
    assert pinned["cpus"] == books["entries"][pinned["uid"]]["c"]
    assert [int(pinned["mems"])] == memory["entries"][pinned["uid"]]["c"][0]["numaAffinity"]
    assert parsed(pinned["cpus"]) <= set(range(1, 8)) or parsed(pinned["cpus"]) <= set(range(8, 16))


def test_updates_are_recorded(node: In, pinned: dict[str, Any]) -> None:
    """A pod that takes CPUs for itself takes them from the others, whose containers are told so while they run."""
    taken = parsed(pinned["cpus"])

    def told() -> bool:
        records = [json.loads(line) for line in node("sh", "-c", "cat /var/lib/pinproof/told/*.json").splitlines()]
        others = [record for record in records if record["pod"].startswith("kube-scheduler") and record["container"]]
        updates = [update["cpus"] for record in others for update in record["updates"]]
        return bool(updates) and not taken & parsed(updates[-1])

    eventually(told, "an update of the scheduler's container")


def test_what_the_host_lacks_is_recorded_and_left_out(node: In) -> None:
    """CPUs 90 and 91 and NUMA node 7: the container runs, and the record says what the kernel was not told."""
    specification = json.loads(node("cat", "/etc/containerd/cri-base.json"))
    specification["hooks"] = {}
    specification["process"]["args"] = ["/busybox", "true"]
    specification["root"] = {"path": "rootfs"}
    specification["linux"]["cgroupsPath"] = ""
    specification["linux"]["resources"] = {"cpu": {"cpus": "90-91", "mems": "7", "shares": 2}}
    specification["process"]["terminal"] = False
    node("sh", "-c", "mkdir -p /opt/made/rootfs && cp /bin/busybox /opt/made/rootfs")
    node("sh", "-c", "cat > /opt/made/config.json", given=json.dumps(specification))

    node(WRAPPER, "run", "--bundle", "/opt/made", "made-container")

    record = json.loads(node("cat", "/var/lib/pinproof/told/made-container.json"))
    assert (record["cpus"], record["mems"], record["leftOut"]) == ("90-91", "7", True)


def test_power_cut(engine: Engine, node: In, pinned: dict[str, Any]) -> None:
    """The node comes back with its images, its network and its pod."""
    subprocess.run([engine.name, "restart", "--time", "0", NODE], env=engine.environment(), check=True)

    def back() -> bool:
        words = [
            "kubectl",
            "--kubeconfig=/etc/kubernetes/admin.conf",
            "get",
            "pod",
            "pinned",
            "-o",
            "jsonpath={.status}",
        ]
        done = subprocess.run(
            [engine.name, "exec", NODE, *words], env=engine.environment(), capture_output=True, check=False
        )
        return done.returncode == 0 and json.loads(done.stdout)["containerStatuses"][0]["restartCount"] == 1

    eventually(back, "the pod")

    assert "0 loaded units listed" in node("systemctl", "--failed")
    assert pinned["uid"] in kubectl(node, "get", "pod", "pinned", "-o", "yaml")

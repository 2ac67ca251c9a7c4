"""A cluster of the home-built node image, with the recording OCI runtime in its node. Needs an engine: `tox -e kind`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.scenario.cpuset import CpuSet
from pinproof.waiting import looks
from tests.somebodys_cluster import WRAPPER, Cluster, made

pytestmark = pytest.mark.engine

NAME = "pinproof-image-test"
NODE = f"{NAME}-control-plane"
RELEASE = os.environ.get("PINPROOF_NODE_IMAGE_RELEASE", DEFAULT_RELEASE)
WAIT_SECONDS = 180.0

In = Callable[..., str]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Of one node, with two NUMA nodes of eight CPUs and 10 GiB each."""
    with made(NAME, tmp_path_factory.mktemp("cluster"), number=0, release=RELEASE) as there:
        yield there


@pytest.fixture(scope="module")
def node(cluster: Cluster) -> In:
    """Runs commands in the one node of the cluster; what they say."""
    return partial(cluster.inside, NODE)


def parsed(cpus: str) -> set[int]:
    return set(CpuSet.parse(cpus))


def eventually(holds: Callable[[], bool], what: str) -> None:
    assert any(holds() for _ in looks(WAIT_SECONDS, pause=1)), what


@pytest.fixture(scope="module")
def pinned(cluster: Cluster, node: In) -> dict[str, Any]:
    """The record of a pod with CPUs of its own."""
    eventually(lambda: "default" in cluster.kubectl("get", "serviceaccounts"), "the default service account")
    cluster.admit("pinned", cpu="2", memory="1Gi")
    uid = cluster.kubectl("get", "pod", "pinned", "-o", "jsonpath={.metadata.uid}")
    records = [json.loads(line) for line in node("sh", "-c", "cat /var/lib/pinproof/told/*.json").splitlines()]
    found: dict[str, Any] = next(record for record in records if record["uid"] == uid and record["container"] == "c")
    return found


def test_everything_runs(cluster: Cluster, node: In) -> None:
    """The node is ready and of this release; proxy and DNS, too, come from the image alone."""

    def all_run() -> bool:
        pods = cluster.kubectl("get", "pods", "-n", "kube-system", "--no-headers").splitlines()
        return len(pods) >= 7 and all(pod.split()[1:3] == ["1/1", "Running"] for pod in pods)

    eventually(all_run, "all pods of kube-system")

    ready = cluster.kubectl("get", "nodes", "--no-headers").split()
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


def test_power_cut(cluster: Cluster, node: In, pinned: dict[str, Any]) -> None:
    """The node comes back with its images, its network and its pod."""
    cluster.docker("restart", "--time", "0", NODE)

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
            [cluster.engine.name, "exec", NODE, *words],
            env=cluster.engine.environment(),
            capture_output=True,
            check=False,
        )
        return done.returncode == 0 and json.loads(done.stdout)["containerStatuses"][0]["restartCount"] == 1

    eventually(back, "the pod")

    assert "0 loaded units listed" in node("systemctl", "--failed")
    assert pinned["uid"] in cluster.kubectl("get", "pod", "pinned", "-o", "yaml")

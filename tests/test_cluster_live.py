"""The cluster subject on a cluster that somebody else has made: what it finds, and that it leaves it as it was."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pinproof.importer.sysfs import import_sysfs
from pinproof.scenario.topologies import machine
from pinproof.subjects.cluster import access
from pinproof.subjects.cluster.api import Api
from pinproof.subjects.kind.machines import write
from pinproof.subjects.kubelet.timeouts import Timeouts
from tests.cluster_runs import CONFIG, ONE, at_rest, begun, in_use, interrupted, killed, outcomes, run, unchanged
from tests.cluster_state import differences, state
from tests.somebodys_cluster import Cluster

pytestmark = [pytest.mark.engine, pytest.mark.timeout(20 * 60)]

OF_DISRUPTIVE_NODES = (
    "test_another_policy_counts_from_the_restart_on",
    "test_another_policy_counts_from_the_beginning_on",
    "test_a_lost_state_file_is_made_again",
    "test_more_reserved_memory_is_less_to_give",
)
STATES = "/var/lib/kubelet/memory_manager_state /var/lib/kubelet/cpu_manager_state"

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: default}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      nodeSelector: {kubernetes.io/hostname: NODE}
      terminationGracePeriodSeconds: 1
      containers:
      - name: c
        image: localhost/pinproof/busybox:1
        imagePullPolicy: Never
        command: [sleep, "100000"]
"""
"""A controller whose pods go to one node."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With two workers, and a pinned pod of somebody's on the first."""
    with in_use(tmp_path_factory.mktemp("cluster")) as there:
        yield there


# How it is left


def test_a_whole_run_leaves_everything_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    """Objects, state files to the byte, configuration, images and folders of pods; with somebody's pinned pod there."""
    before = at_rest(cluster)

    code, said = run(cluster, tmp_path, "--node", cluster.workers[0], spec="?share=0.7")

    assert 0 == code, said
    assert re.search(r"NUMA nodes 0: 10752Mi, CPUs 0-7; 1: 10752Mi, CPUs 8-15", said)
    found = outcomes(tmp_path)
    for restarting in ("test_a_restart_keeps_everything", *OF_DISRUPTIVE_NODES):
        assert "not_applicable: " in found.pop(restarting)
    assert "(made: the kernel below has others)" in said
    assert "a kernel with the NUMA nodes" in found.pop("test_touched_memory_lies_on_the_nodes_of_the_blocks")
    assert {"passed: "} == set(found.values())
    unchanged(cluster, before)


def test_a_disrupted_node_is_open_for_pods_again(cluster: Cluster, tmp_path: Path) -> None:
    """It is cordoned while its kubelet is restarted. The kubelet takes memory again for the ended init container."""
    node = f"/api/v1/nodes/{cluster.workers[1]}"
    api = Api(cluster.kubeconfig, timeouts=Timeouts())
    before = at_rest(cluster)

    process = begun(cluster, tmp_path, "--disruptive", cluster.workers[1], "-k", "restart_keeps")
    assert api.get(node)["spec"]["unschedulable"]
    assert 0 == process.wait(), process.communicate()[0]
    process.communicate()

    assert "unschedulable" not in api.get(node)["spec"]
    assert {"test_a_restart_keeps_everything": "passed: "} == outcomes(tmp_path)
    left = [
        name
        for name in (each.partition(":")[0] for each in differences(before, settled(cluster)))
        if "/nodes" not in name
    ]
    assert [] == left


def test_a_node_is_drained_on_request(cluster: Cluster, tmp_path: Path) -> None:
    """Its Deployment's pod is evicted, waits while the node is cordoned, and comes back to it afterwards."""
    cluster.kubectl("apply", "-f", "-", given=SHOP.replace("NODE", cluster.workers[1]))
    try:
        cluster.kubectl("rollout", "status", "deployment/shop", "--timeout=60s")
        first = cluster.kubectl("get", "pods", "-l", "app=shop", "-o", "name")

        code, said = run(cluster, tmp_path, "--disruptive", cluster.workers[1], "--drain", "-k", ONE)

        assert 0 == code, said
        assert f"{cluster.workers[1]}: 1 pods were evicted" in said
        cluster.kubectl("rollout", "status", "deployment/shop", "--timeout=60s")
        assert first != cluster.kubectl("get", "pods", "-l", "app=shop", "-o", "name")
    finally:
        cluster.kubectl("delete", "deployment/shop", "--cascade=foreground", "--wait=true")
        cluster.kubectl("wait", "--for=delete", "pods", "-l", "app=shop", "--timeout=60s")


def test_a_drain_that_would_lose_a_pod_is_not_begun(cluster: Cluster, tmp_path: Path) -> None:
    """The pod is named, and the node is open for pods again."""
    before = at_rest(cluster)

    code, said = run(cluster, tmp_path, "--disruptive", cluster.workers[0], "--drain", "-k", ONE)

    assert 12 == code
    assert "default/theirs: no controller would make another" in said
    unchanged(cluster, before)


def settled(cluster: Cluster) -> dict[str, str]:
    """What the cluster is when a restarted kubelet has tidied up."""
    time.sleep(5)  # nobody announces it, and it is only compared
    return state(cluster)


def test_ctrl_c_leaves_everything_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    """With a pod on the node."""
    before = at_rest(cluster)
    process = begun(cluster, tmp_path, "--node", cluster.workers[0])

    interrupted(process, signal.SIGINT)

    unchanged(cluster, before)


def test_what_a_killed_run_has_left_the_next_one_removes(cluster: Cluster, tmp_path: Path) -> None:
    """Pods, the helper, the lease, the namespace, and the cordon, which is written down in the lease."""
    node = cluster.workers[1]
    before = at_rest(cluster)
    killed(begun(cluster, tmp_path / "killed", "--disruptive", node, "-k", ONE))
    assert [] != differences(before, state(cluster))

    code, said = run(cluster, tmp_path / "next", "--node", node, "-k", ONE)

    assert 0 == code, said
    assert f"{node} is open for pods again" in said
    assert "of a run that was killed; they are deleted" in said
    unchanged(cluster, before)


# Who else is there


def test_two_runs_at_once_have_a_node_each(cluster: Cluster, tmp_path: Path) -> None:
    """The second takes the other node; where there is none, it says who has it."""
    before = at_rest(cluster)
    first = begun(cluster, tmp_path / "first", "--node", cluster.workers[0])

    refused, words = run(cluster, tmp_path / "third", "-k", ONE, "--node", cluster.workers[0])
    code, said = run(cluster, tmp_path / "second", "-k", ONE, "--node", ",".join(cluster.workers))
    first.communicate()

    assert 0 == code, said
    assert cluster.workers[1] in said
    assert 0 != refused
    assert f"every node is in use: {cluster.workers[0]} by " in words
    unchanged(cluster, before)


def test_a_full_node_is_not_applicable(cluster: Cluster, tmp_path: Path) -> None:
    """Where a part of what is free would be less than a process needs."""
    cluster.admit("full", cluster.workers[1], cpu="1", memory="10200Mi")
    cluster.admit("fuller", cluster.workers[1], cpu="1", memory="10200Mi")
    try:
        before = at_rest(cluster)

        code, _ = run(cluster, tmp_path, "--node", cluster.workers[1], "-k", ONE)

        assert 10 == code
        assert "not_applicable: the node is full" in outcomes(tmp_path)[f"test_{ONE}_is_on_one_node"]
        unchanged(cluster, before)
    finally:
        cluster.kubectl("delete", "pod", "full", "fuller")


def test_without_the_static_policy_nothing_is_counted(cluster: Cluster, tmp_path: Path) -> None:
    """Not applicable, with the reason."""
    node = cluster.workers[1]
    kept = cluster.inside(node, "cat", CONFIG)
    config = yaml.safe_load(kept)
    config.pop("reservedMemory")
    restarted(cluster, node, yaml.safe_dump({**config, "memoryManagerPolicy": "None"}))
    try:
        before = at_rest(cluster)

        code, _ = run(cluster, tmp_path, "--node", node, "-k", ONE)

        assert 10 == code
        assert "policy of its memory manager is not Static" in outcomes(tmp_path)[f"test_{ONE}_is_on_one_node"]
        unchanged(cluster, before)
    finally:
        restarted(cluster, node, kept)


def restarted(cluster: Cluster, node: str, config: str) -> None:
    """Give a kubelet another configuration, as an administrator would."""
    script = f"cat > {CONFIG}; systemctl stop kubelet; rm -f {STATES}; systemctl start kubelet"
    cluster.inside(node, "sh", "-c", script, given=config.encode())
    cluster.inside(node, "sh", "-c", "until curl -sf http://127.0.0.1:10248/healthz; do sleep 0.2; done")
    cluster.kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=60s")


def test_where_the_kernel_has_the_nodes_it_tells_where_memory_lies(cluster: Cluster, tmp_path: Path) -> None:
    """On the machine of the host itself, with as many NUMA nodes as it has."""
    node, place = cluster.workers[1], cluster.folder / "machine-2"
    kept = cluster.inside(node, "cat", CONFIG)
    write(place, import_sysfs(Path("/sys"), name="here").machine)
    reserved = [{"numaNode": 0, "limits": {"memory": "1Gi"}}]
    restarted(cluster, node, yaml.safe_dump({**yaml.safe_load(kept), "reservedMemory": reserved}))
    try:
        code, said = run(cluster, tmp_path, "--node", node, "-k", f"touched or {ONE}", spec="?share=1")

        assert 0 == code, said
        assert "made" not in said
        assert {"passed: "} == set(outcomes(tmp_path).values())
        assert 2 == len(outcomes(tmp_path))
    finally:
        write(place, machine("two_even"))
        restarted(cluster, node, kept)


# What goes wrong


def test_an_api_server_that_is_gone_for_30_seconds_is_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    """The run ends as if nothing had been."""
    before = at_rest(cluster)
    process = begun(cluster, tmp_path, "--node", cluster.workers[0], "-k", f"{ONE} or init_container")

    cluster.docker("pause", f"{cluster.name}-control-plane")
    time.sleep(30)  # this is the outage
    cluster.docker("unpause", f"{cluster.name}-control-plane")

    said, _ = process.communicate()
    assert 0 == process.returncode, said
    unchanged(cluster, before)


def test_a_node_that_dies_is_one_message(cluster: Cluster, tmp_path: Path) -> None:
    """There is no verdict; when the node is back, the next run cleans it."""
    node = cluster.workers[1]
    before = at_rest(cluster)
    process = begun(cluster, tmp_path / "died", "--node", node, "-k", ONE)
    cluster.inside(node, "systemctl", "stop", "kubelet", "containerd")
    try:
        said, _ = process.communicate()
        assert process.returncode in (10, 12), said
        assert "Traceback" not in said
        assert node in said
    finally:
        cluster.inside(node, "systemctl", "start", "containerd", "kubelet")
        cluster.kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=120s")

    code, said = run(cluster, tmp_path / "next", "--node", node, "-k", ONE)

    assert 0 == code, said
    settled(cluster)
    left = [each.partition(":")[0] for each in differences(before, state(cluster))]
    assert [] == [name for name in left if not name.startswith(("/api/v1/nodes", "/api/v1/pods kube-system"))]


def test_rights_that_are_too_few_are_named(cluster: Cluster, tmp_path: Path) -> None:
    """All of them at once; with those of the manifests a run goes through and leaves the namespace."""
    cluster.kubectl("apply", "-f", "-", given=access.manifests())
    try:
        kubeconfig = of_the_runner(cluster, tmp_path)
        before = at_rest(cluster)

        code, said = run(cluster, tmp_path / "enough", "-k", ONE, "--node", cluster.workers[0], kubeconfig=kubeconfig)
        assert 0 == code, said
        unchanged(cluster, before)

        cluster.kubectl("delete", "rolebinding", "-n", "pinproof", "pinproof-runner")
        code, said = run(cluster, tmp_path / "few", "-k", ONE, "--node", cluster.workers[0], kubeconfig=kubeconfig)
        assert 0 != code
        assert "this user may not: create pods, " in said
        assert "create pods/exec" in said
        assert "pinproof cluster manifests" in said
    finally:
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", given=access.manifests())


def of_the_runner(cluster: Cluster, place: Path) -> Path:
    """A kubeconfig with the rights of the manifests alone."""
    token = cluster.kubectl("create", "token", "-n", "pinproof", "pinproof-runner").strip()
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    kubeconfig = place / "runner"
    kubeconfig.write_text(yaml.safe_dump(document))
    return kubeconfig

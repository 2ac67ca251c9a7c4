"""The cluster subject on a cluster that somebody else has made: what it finds, and that it leaves it as it was."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pinproof.errors import CaptureError
from pinproof.importer.sysfs import import_sysfs
from pinproof.scenario.steps import Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.cluster import access
from pinproof.subjects.cluster.api import Api
from pinproof.subjects.kind.machines import write
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import Given
from pinproof.subjects.registry import open_subject
from pinproof.waiting import looks
from tests.cluster_state import differences, state
from tests.somebodys_cluster import Cluster, made

pytestmark = [pytest.mark.engine, pytest.mark.timeout(20 * 60)]

ONE = "a_pod_that_fits_one_node"
OF_DISRUPTIVE_NODES = (
    "test_another_policy_counts_from_the_restart_on",
    "test_another_policy_counts_from_the_beginning_on",
    "test_a_lost_state_file_is_made_again",
    "test_more_reserved_memory_is_less_to_give",
)
CONFIG = "/var/lib/kubelet/config.yaml"
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
    with made("pinproof-somebodys", tmp_path_factory.mktemp("cluster"), number=2) as there:
        there.kubectl("rollout", "status", "deployment", "coredns", "-n", "kube-system", "--timeout=180s")
        there.admit("theirs", there.workers[0], cpu="2", memory="1Gi")
        yield there


def command(cluster: Cluster, out: Path, *options: str, spec: str = "", kubeconfig: Path | None = None) -> list[str]:
    """A run of the suite of clusters."""
    subject = f"cluster:{kubeconfig or cluster.kubeconfig}{spec}"
    return [
        sys.executable,
        "-m",
        "pinproof",
        "run",
        "suites/cluster",
        "--subject",
        subject,
        "--out",
        str(out),
        *options,
    ]


def run(cluster: Cluster, out: Path, *options: str, spec: str = "", kubeconfig: Path | None = None) -> tuple[int, str]:
    """Its exit code and what it said."""
    done = subprocess.run(
        command(cluster, out, *options, spec=spec, kubeconfig=kubeconfig), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(out: Path) -> dict[str, str]:
    """Case → outcome and message."""
    report = json.loads((out / "report.json").read_text())
    return {
        case["id"].partition("::")[2].partition("[")[0]: f"{case['outcome']}: {case['message']}"
        for case in report["cases"]
    }


def unchanged(cluster: Cluster, before: dict[str, str]) -> None:
    """Assert it, when the node has tidied up what ended pods have left in its folders."""
    found: list[str] = []
    for _ in looks(60, pause=1):  # kubelets remove folders of pods that are gone when they look around
        found = differences(before, state(cluster))
        if not found:
            break
    assert [] == found


def at_rest(cluster: Cluster) -> dict[str, str]:
    """What a cluster is when it changes no more by itself: when it was just made, or a test has ended its own pods."""
    former: dict[str, str] = {}
    for _ in looks(180, pause=5):  # nobody announces that nothing more will happen
        seen = state(cluster)
        if former and not differences(former, seen):
            return seen
        former = seen
    raise AssertionError("the cluster does not come to rest")


def until(holds: Callable[[], object], process: subprocess.Popen[str], what: str) -> None:
    for _ in looks(120):
        if holds():
            return
        assert process.poll() is None, what
    raise AssertionError(what)


def pods_of_scenarios(cluster: Cluster) -> list[str]:
    api = Api(cluster.kubeconfig, timeouts=Timeouts())
    listed = api.get("/api/v1/pods", labelSelector="pinproof.dev/node,pinproof.dev/role!=helper")["items"]
    return [pod["metadata"]["name"] for pod in listed]


def begun(cluster: Cluster, out: Path, *options: str, spec: str = "") -> subprocess.Popen[str]:
    """A run that has a pod on its node by now."""
    process = subprocess.Popen(
        command(cluster, out, *options, spec=spec), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    until(lambda: pods_of_scenarios(cluster), process, "the run gives the node a pod")
    return process


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


def killed(process: subprocess.Popen[str]) -> None:
    """End a run so that it can do nothing about it."""
    process.kill()
    process.communicate()


def test_ctrl_c_leaves_everything_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    """With a pod on the node."""
    before = at_rest(cluster)
    process = begun(cluster, tmp_path, "--node", cluster.workers[0])

    process.send_signal(signal.SIGINT)

    said, _ = process.communicate(timeout=60)
    assert 130 == process.returncode, said
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


# With another configuration


def stage(cluster: Cluster, node: str) -> str:
    """How far a change of the node has come; empty where nothing is changed."""
    text = cluster.inside(node, "sh", "-c", "cat /var/lib/kubelet/pinproof-saved.json 2>/dev/null || true")
    return str(json.loads(text)["stage"]) if text else ""


def changed(cluster: Cluster, out: Path, node: str, moment: str) -> subprocess.Popen[str]:
    """A run that has given the node's kubelet another configuration, and has come so far with it."""
    process = subprocess.Popen(
        command(cluster, out, "--disruptive", node, "-k", "from_the_beginning", spec="?share=0.7"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(lambda: stage(cluster, node) == moment, process, f"the change is {moment}")
    return process


def same_node(cluster: Cluster, before: dict[str, str]) -> None:
    """Assert that nothing but what a kubelet that was restarted tells of its node is another."""
    left: list[str] = []
    for _ in looks(90, pause=2):
        left = [each for each in differences(before, state(cluster)) if not each.startswith("/api/v1/nodes ")]
        if not left:
            break
    assert [] == left
    assert {""} == {stage(cluster, node) for node in cluster.workers}


def test_other_configurations_leave_everything_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    """The very file is put back, and both state files to the byte; in between the kubelet was told otherwise four times."""
    before = at_rest(cluster)

    code, said = run(cluster, tmp_path, "--disruptive", cluster.workers[1], "-k", "test_changed", spec="?share=0.7")

    assert 0 == code, said
    assert 4 == len(outcomes(tmp_path))
    assert {"passed: "} == set(outcomes(tmp_path).values())
    same_node(cluster, before)


@pytest.mark.parametrize(("what", "moment"), [(signal.SIGINT, "confirmed"), (signal.SIGTERM, "changed")])
def test_a_run_that_is_interrupted_gives_the_configuration_back(
    cluster: Cluster, tmp_path: Path, what: signal.Signals, moment: str
) -> None:
    """While the kubelet runs with another one, and while it is on its way there."""
    before = at_rest(cluster)
    process = changed(cluster, tmp_path, cluster.workers[1], moment)

    process.send_signal(what)

    said, _ = process.communicate(timeout=120)
    assert 130 == process.returncode, said
    same_node(cluster, before)


def test_the_next_run_gives_back_the_configuration_of_a_killed_one(cluster: Cluster, tmp_path: Path) -> None:
    """Although it may not disrupt anything itself."""
    node = cluster.workers[1]
    before = at_rest(cluster)
    killed(changed(cluster, tmp_path / "killed", node, "confirmed"))
    assert "best-effort" in cluster.inside(node, "cat", CONFIG)

    code, said = run(cluster, tmp_path / "next", "--node", node, "-k", ONE)

    assert 0 == code, said
    assert f"{node} had the configuration of a run that was killed; it has its own again" in said
    same_node(cluster, before)


def test_a_change_that_nobody_confirms_is_taken_back_by_the_node_itself(cluster: Cluster, tmp_path: Path) -> None:
    """The run is killed while the kubelet stops and starts; a minute later the node has its own configuration again."""
    node = cluster.workers[1]
    before = at_rest(cluster)
    killed(changed(cluster, tmp_path / "killed", node, "changed"))

    assert any(stage(cluster, node) == "returned" for _ in looks(120, pause=2))
    assert "single-numa-node" in cluster.inside(node, "cat", CONFIG)
    assert 0 == run(cluster, tmp_path / "next", "--node", node, "-k", ONE)[0]
    same_node(cluster, before)


def test_a_kubelet_that_does_not_run_with_it_has_its_own_again(cluster: Cluster) -> None:
    """Its last words are told. The reference does not know which gates there are, so it was tried."""
    before = at_rest(cluster)
    subject = open_subject(f"cluster:{cluster.kubeconfig}?disruptive={cluster.workers[1]}")
    with closing(subject):
        assert isinstance(subject, Given)
        found = subject.found()
        wrong = replace(found.kubelet, topology_manager_policy="restricted", feature_gates=(("NoSuchGate", True),))

        with pytest.raises(CaptureError, match=r"has its own again; it said: .*unrecognized feature gate: NoSuchGate"):
            subject.run(Scenario("wrong", found.machine, wrong, found.before))

    same_node(cluster, before)


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

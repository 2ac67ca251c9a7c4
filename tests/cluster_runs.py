"""Runs of the suite of clusters on a cluster that somebody else has made, as a user begins them, and what they leave."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pinproof.subjects.cluster.api import Api
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.waiting import looks
from tests.cluster_state import differences, state
from tests.somebodys_cluster import Cluster, made

ONE = "a_pod_that_fits_one_node"
CONFIG = "/var/lib/kubelet/config.yaml"


@contextmanager
def in_use(folder: Path) -> Iterator[Cluster]:
    """A cluster of two workers that has come up, with a pinned pod of somebody's on the first."""
    with made("pinproof-somebodys", folder, number=2) as there:
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


def killed(process: subprocess.Popen[str]) -> None:
    """End a run so that it can do nothing about it."""
    process.kill()
    process.communicate()


def interrupted(process: subprocess.Popen[str], how: signal.Signals) -> None:
    """Tell a run to end; it clears up, and says that it was told."""
    process.send_signal(how)
    said, _ = process.communicate(timeout=120)
    assert 130 == process.returncode, said

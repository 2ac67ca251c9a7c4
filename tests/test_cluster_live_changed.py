"""A cluster of somebody else's whose node was given another configuration: it has its own again, however a run ends."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pinproof.errors import CaptureError
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Given
from pinproof.subjects.registry import open_subject
from pinproof.waiting import looks
from tests.cluster_runs import CONFIG, ONE, at_rest, command, in_use, interrupted, killed, outcomes, run, until
from tests.cluster_state import differences, state
from tests.somebodys_cluster import Cluster

pytestmark = [pytest.mark.engine, pytest.mark.timeout(20 * 60)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With two workers, and a pinned pod of somebody's on the first."""
    with in_use(tmp_path_factory.mktemp("cluster")) as there:
        yield there


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

    interrupted(process, what)

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

"""On a real cluster: what the kernel has of a container, and what the API server has of a rejected pod."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from pinproof.engine import Engine
from pinproof.running.examine import examine
from pinproof.scenario.steps import Admit, Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.kind.node import KindNode
from pinproof.subjects.kind.subject import KindSubject
from pinproof.subjects.kubelet.node import Files
from pinproof.suite import guaranteed, static

pytestmark = pytest.mark.engine
pytest_plugins = ["tests.kind_fixtures"]

MINUTES = 15 * 60
PLACE = "/usr/local/sbin/runc"
"""Where a runtime is found before the node's own."""

FORGETFUL = """#!/bin/sh
# A runtime that is told of CPUs and leaves them out.
for word; do [ "$last" = --bundle ] && bundle=$word; last=$word; done
case " $* " in *" create "*) sed -i 's/"cpus":"[^"]*",//' "$bundle/config.json" ;; esac
exec REAL "$@"
"""


@pytest.fixture
def node(subject: KindSubject) -> KindNode:
    return subject._ready_node()


def scenario(memory: str, *, cpu: str) -> Scenario:
    where = machine("one")
    return Scenario("s", where, static(cpu="static")(where), (Admit(guaranteed("a", memory=memory, cpu=cpu)),))


@pytest.mark.timeout(MINUTES)
def test_a_runtime_that_does_not_do_what_it_is_told_is_found(
    engine: Engine, subject: KindSubject, node: KindNode
) -> None:
    """A container of CPU 1 that the kernel lets run on all of them: what the runtime was told was right."""

    def on_node(script: str) -> str:
        command = [engine.name, "exec", "-i", node.name, "sh", "-c", script]
        return subprocess.run(command, env=engine.environment(), capture_output=True, text=True, check=True).stdout

    real = on_node("command -v runc").strip()
    assert real != PLACE
    node.write([(PLACE, FORGETFUL.replace("REAL", real))])
    on_node(f"chmod 755 {PLACE}")
    try:
        wrong = examine(subject, scenario("1Gi", cpu="1"))
    finally:
        on_node(f"rm {PLACE}")
        subject._spoiled = "its runtime was another"
    right = examine(subject, scenario("1Gi", cpu="1"))

    assert ["enforced.a.c.cpuset_cpus"] == [found.path for found in wrong.judgement.findings]
    assert ("failed", "passed") == (wrong.judgement.outcome, right.judgement.outcome)


@pytest.mark.timeout(MINUTES)
def test_an_api_server_has_of_a_rejected_pod_what_the_kubelet_said(subject: KindSubject, node: KindNode) -> None:
    """Phase, reason and message, and of conditions that it was scheduled at most: nothing of it was ever begun."""
    seen: list[dict[str, Any]] = []
    forget = node.forget

    def looking(uids: Sequence[str], *, also: Files = (), grace: int | None = None) -> None:
        seen.extend(dict(node.status(uid)) for uid in uids)
        forget(uids, also=also, grace=grace)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "forget", looking)
        examine(subject, scenario("60Gi", cpu="500m"))

    status = seen[0]
    assert ("Failed", "UnexpectedAdmissionError") == (status["phase"], status["reason"])
    assert status["message"].startswith("Pod was rejected: Allocate failed due to [memorymanager] ")
    assert {each["type"] for each in status.get("conditions", ())} <= {"PodScheduled"}
    assert "containerStatuses" not in status

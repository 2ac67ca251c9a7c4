"""Entry E5 of the catalogue: `reservedMemory` in the configuration file, in a drop-in file and on the command line at once.

A scenario has one configuration file, so this is asked of a kubelet directly: is the list of a drop-in file put in place of
the file's, or behind it? https://github.com/kubernetes/kubernetes/pull/119390 says "handling lists by overwriting".
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from pinproof.history import Observation
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.kubelet import configuration, places
from pinproof.subjects.kubelet.node import Files, Node, Setting
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.kubelet.subject import KubeletSubject
from pinproof.subjects.registry import DEFAULT, open_subject

FOLDER = f"{places.OURS}/conf.d"
HALF = Quantity.parse("512Mi")
ON_NODE_0 = KubeletConfig(
    memory_manager_policy="Static",
    kube_reserved=(("memory", "412Mi"),),
    reserved_memory=(MemoryReservation(0, (("memory", HALF),)),),
)
ON_NODE_1 = [{"numaNode": 1, "limits": {"memory": "512Mi"}}]


@pytest.fixture
def subject() -> Iterator[KubeletSubject]:
    """The release of `PINPROOF_DROP_IN`, the default one unless it is set."""
    opened = open_subject(os.environ.get("PINPROOF_DROP_IN", DEFAULT))
    assert isinstance(opened, KubeletSubject)
    with closing(opened):
        yield opened


def started(
    subject: KubeletSubject,
    patch: pytest.MonkeyPatch,
    *,
    kubelet: KubeletConfig = ON_NODE_0,
    drop_in: object = None,
    flag: str = "",
) -> Observation:
    """The start of a kubelet that reserves 512Mi on node 0 in its file, and something else elsewhere."""
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "reservedMemory": drop_in,
    }
    if configuration.minor_of(subject.version) >= 32:
        # From 1.32 on the empty list of the file is lost where there is a drop-in directory, and the default cannot be had here.
        document["enforceNodeAllocatable"] = ["none"]
    start, arguments = Node.start, configuration.arguments()

    def with_drop_in(node: Node, setting: Setting, files: Files = ()) -> Ending | None:
        return start(node, setting, [(f"{FOLDER}/50-memory.conf", json.dumps(document)), *files])

    if drop_in:
        patch.setattr(Node, "start", with_drop_in)
    more = [f"--config-dir={FOLDER}"] if drop_in else [f"--reserved-memory={flag}"]
    patch.setattr(configuration, "arguments", lambda: arguments + more)
    return subject.run(Scenario("drop-in", machine("two_even"), kubelet)).observations[0]


def reserved(seen: Observation) -> list[int]:
    """Bytes that are the system's on each node."""
    assert seen.running, seen.refusal
    return [node.memory["memory"].system_reserved for node in (seen.machine or {}).values()]


def test_list_of_a_drop_in_replaces_that_of_the_file(subject: KubeletSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both together would be 1Gi, and refused."""
    assert [0, HALF.value()] == reserved(started(subject, monkeypatch, drop_in=ON_NODE_1))


def test_flag_replaces_the_file(subject: KubeletSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    """As flags do."""
    assert [0, HALF.value()] == reserved(started(subject, monkeypatch, flag="1:memory=512Mi"))


def test_threshold_of_the_file_stays_away(subject: KubeletSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has an empty `evictionHard`, which holds nothing back, and the drop-in file does not speak of it."""
    empty = replace(ON_NODE_0, eviction_hard=(), kube_reserved=(("memory", "512Mi"),))

    assert [0, HALF.value()] == reserved(started(subject, monkeypatch, kubelet=empty, drop_in=ON_NODE_1))

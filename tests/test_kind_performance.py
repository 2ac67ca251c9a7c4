"""What a scenario becomes on a worker of a cluster: which pods are created when, bound when, and given up when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.faults import AtWrite
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, Crash, Remove, Restart, Scenario, Step
from pinproof.subjects.kind import performance
from pinproof.subjects.kind.node import HOME, KindNode
from pinproof.subjects.kind.performance import KindPerformance
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.node import Setting
from pinproof.suite import container, guaranteed, pod

METRICS = "kubelet_topology_manager_admission_requests_total 0\n"
MACHINE = Machine("m", ())
A, B = guaranteed("a", memory="1Gi"), guaranteed("b", memory="1Gi")


class FakeAgent:
    """Kills nobody: the steps end without coming to their points."""

    def call(self, op: str, **_: object) -> dict[str, Any]:
        return {"reached": False} if op == "disarm" else {}


class FakeNode:
    """A worker that admits everybody but those whose names it was given."""

    home = HOME

    def __init__(self, *, refuses: str = "") -> None:
        self.setting = Setting(MACHINE, KubeletConfig(), "1.36.3")
        self.did: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.containers: list[dict[str, Any]] = []
        self.attempt = 0
        self._refuses = refuses
        self.agent = FakeAgent()
        self._pods: dict[str, Pod] = {}

    def create(self, pod: Pod, *, name: str, alias: str) -> tuple[str, str]:
        self.did.append(f"create {alias}")
        self._pods[alias] = pod
        return alias, name

    def bind(self, uid: str) -> None:
        self.did.append(f"bind {uid}")

    def await_reported(self, pods: dict[str, Sequence[str]]) -> None:
        self.did.append(f"reported {' '.join(f'{uid}/{name}' for uid, names in pods.items() for name in names)}")

    def forget(self, uids: Sequence[str]) -> None:
        self.did += [f"forget {uid}" for uid in uids]

    def drop(self, uids: Sequence[str]) -> None:
        self.did += [f"drop {uid}" for uid in uids]

    def stop(self, signal: str) -> None:
        self.did.append(f"stop by {signal}")
        if signal == "POWER":
            self.attempt += 1

    def start(self, setting: Setting, files: Sequence[tuple[str, str | None]]) -> None:
        self.did.append(f"start {setting.release} with {len(files)} files")

    def ask(self, step: str, wait: str, op: str, **fields: Any) -> dict[str, Any]:
        del step, wait
        self.asked.append({"op": op, **fields})
        if op != "await_pods":
            return {}
        for uid, names in fields["pods"].items():
            self.containers += [
                {"uid": uid, "container": n, "attempt": self.attempt, "state": "running", "mems": "", "cpus": ""}
                for n in names
            ]
        states = {uid: "rejected" if self._pods[uid].name == self._refuses else "started" for uid in fields["pods"]}
        return {"pods": {uid: {"state": state} for uid, state in states.items()}}

    def until(self, *_: object) -> None:
        """Nothing is waited for."""

    def observe(self, **_: object) -> dict[str, Any]:
        return {
            "running": True,
            "errors": [],
            "state": None,
            "cpu_state": None,
            "metrics": METRICS,
            "pods": {"items": []},
            "containers": self.containers,
            "pod_resources": {"list": [], "allocatable": None},
        }


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "_await_next_second", lambda: None)


def perform(node: FakeNode, *steps: Step) -> KindPerformance:
    scenario = Scenario("s", MACHINE, KubeletConfig(), steps)
    made = KindPerformance(scenario, cast(KindNode, node), identities=Identities(), prefix="x", refused=None)
    assert made.run("kind").complete
    return made


def test_without_a_restart_pods_are_created_when_they_come() -> None:
    node = FakeNode()
    perform(node, Admit(A), Admit(B), Remove("a"))

    assert ["create a.1", "bind a.1", "create b.2", "bind b.2", "forget a.1"] == node.did


def test_before_a_restart_they_are_created_in_the_order_of_their_return() -> None:
    node = FakeNode()
    perform(node, Admit(A), Admit(B), Restart(order=("b",)))

    assert ["create b.2", "create a.1", "bind a.1", "bind b.2"] == node.did[:4]


def test_a_rejected_pod_is_taken_away_while_the_kubelet_is_down() -> None:
    node = FakeNode(refuses="a")
    made = perform(node, Admit(A), Restart())

    assert ["reported ", "stop by TERM", "drop a.1", "start 1.36.3 with 0 files"] == node.did[2:]
    assert ("a.1",) == made.created


def test_a_kubelet_is_stopped_when_it_has_reported_what_runs() -> None:
    node = FakeNode()
    perform(node, Admit(A), Restart())

    assert ["reported a.1/c", "stop by TERM"] == node.did[2:4]


def test_another_release_needs_no_files() -> None:
    node = FakeNode()
    perform(node, Admit(A), Restart(kubernetes="1.37.1"))

    assert "start 1.37.1 with 0 files" == node.did[-1]


def test_after_a_power_cut_every_container_is_awaited_in_its_next_attempt() -> None:
    node = FakeNode()
    perform(node, Admit(pod("a", container("x"), container("y"))), Restart(signal="POWER"))

    awaited = [(each["container"], each["attempt"]) for each in node.asked if each["op"] == "await_container"]
    assert [("x", 1), ("y", 1)] == awaited


def test_a_pod_that_comes_while_the_kubelet_is_killed_is_counted_once() -> None:
    """The interrupted step and the one that interrupts it are one arrival; it is created in its turn for the restart."""
    node = FakeNode()
    killed = Crash(Admit(A), AtWrite("memory_manager_state"))
    made = perform(node, killed, Restart(), Admit(B), Restart())

    assert ["create a.1", "create b.2", "bind a.1"] == node.did[:3]
    assert "bind b.2" in node.did
    assert made.spoiled


def test_a_kubelet_that_is_to_be_killed_in_a_start_has_reported_before() -> None:
    node = FakeNode()
    perform(node, Admit(A), Crash(Restart(), AtWrite("memory_manager_state")))

    assert ["reported a.1/c", "stop by TERM"] == node.did[2:4]

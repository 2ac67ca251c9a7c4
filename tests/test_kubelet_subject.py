"""The kubelet subject with a real kubelet: scenarios after one another, restarts, refusals, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pinproof.history import Block, History, Told
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.machine import Machine, NumaNode
from pinproof.scenario.pod import Container, Pod
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.steps import Admit, AdmitTogether, Exit, Remove, Restart, Scenario, StateText, Step
from pinproof.subjects.kubelet.subject import KubeletSubject
from pinproof.subjects.registry import DEFAULT, open_subject

GIB = 1 << 30
MACHINE = Machine(
    "two", tuple(NumaNode(n, 10 * GIB, CpuSet(range(8 * n, 8 * n + 8)), distances=(10, 21)) for n in (0, 1))
)
STATIC = KubeletConfig(
    memory_manager_policy="Static",
    topology_manager_policy="restricted",
    kube_reserved=(("memory", "924Mi"),),
    reserved_memory=(MemoryReservation(0, (("memory", Quantity.parse("1Gi")),)),),
)


def guaranteed(name: str, memory: str, *, init: str = "") -> Pod:
    def container(called: str, size: str) -> Container:
        asked = (("cpu", Quantity.parse("1")), ("memory", Quantity.parse(size)))
        return Container(called, asked, asked)

    return Pod(name, (container("c", memory),), (container("init", init),) if init else ())


@pytest.fixture(scope="module")
def subject() -> Iterator[KubeletSubject]:
    opened = open_subject(DEFAULT)
    assert isinstance(opened, KubeletSubject)
    yield opened
    opened.close()


def run(subject: KubeletSubject, *steps: Step, kubelet: KubeletConfig = STATIC) -> History:
    history = subject.run(Scenario("real", MACHINE, kubelet, steps))
    assert history.complete, history.trouble
    return history


def test_a_pod_is_pinned_and_a_restart_keeps_it(subject: KubeletSubject) -> None:
    """Admission pins to one node, in the file and at the runtime, and a restart changes neither."""
    history = run(subject, Admit(guaranteed("a", "4Gi")), Restart())

    for seen in history.observations[1:]:
        assert seen.assignments == {"a": {"c": (Block((0,), "memory", 4 * GIB),)}}
        assert seen.told == {"a": {"c": Told("0", "")}}


def test_a_kubelet_serves_scenario_after_scenario(subject: KubeletSubject) -> None:
    """Without a reason to boot anew the same kubelet goes on, its books empty and its counters at zero."""
    run(subject, Admit(guaranteed("a", "9Gi")))
    boots = subject.boots

    starts = [run(subject, Admit(guaranteed("a", "9Gi"))).observations[0] for _ in range(3)]

    assert boots == subject.boots
    assert [({}, {0})] * 3 == [(start.assignments, set((start.counters or {}).values())) for start in starts]


def test_containers_end_when_the_scenario_says_so(subject: KubeletSubject) -> None:
    """An init container runs until its end; the app container follows, and comes back after an end of its own."""
    history = run(subject, Admit(guaranteed("a", "2Gi", init="3Gi")), Exit("a", "init"), Exit("a", "c", 1))

    told = [list((seen.told or {}).get("a", {})) for seen in history.observations]
    assert [[], ["init"], ["init", "c"], ["init", "c"]] == told


def test_a_refusal_is_an_observation(subject: KubeletSubject) -> None:
    """A configuration that a kubelet must refuse gives its message; what follows is left out until it starts again."""
    wrong = replace(STATIC, reserved_memory=())

    history = run(subject, Admit(guaranteed("a", "1Gi")), Restart(kubelet=STATIC), Remove("a"), kubelet=wrong)

    assert [False, False, True, True] == [seen.running for seen in history.observations]
    assert "Node Allocatable" in str(history.observations[0].refusal)
    assert "kubelet.log" in subject.gather()


def test_replay_order_is_ours(subject: KubeletSubject) -> None:
    """With the state lost, the pod that is re-admitted first gets the first node."""
    pods = [Admit(guaranteed("a", "6Gi")), Admit(guaranteed("b", "6Gi"))]

    last = run(subject, *pods, Restart(state="lose", order=("b",))).observations[-1]

    nodes = {name: containers["c"][0].affinity for name, containers in (last.assignments or {}).items()}
    assert {"a": (1,), "b": (0,)} == nodes


def test_a_pod_that_comes_again_takes_the_place_of_the_former(subject: KubeletSubject) -> None:
    """Its removal was left out, since no kubelet ran, and so it was admitted once more at the restart after it."""
    bad, good = Restart(state=StateText("{")), Restart(state="lose")
    history = run(subject, Admit(guaranteed("a", "4Gi")), bad, Remove("a"), good, Admit(guaranteed("a", "6Gi")))

    assert [{"a"}, {"a"}] == [set(seen.pods or {}) for seen in history.observations[-2:]]
    assert history.observations[-1].assignments == {"a": {"c": (Block((0,), "memory", 6 * GIB),)}}


def test_pods_arrive_together(subject: KubeletSubject) -> None:
    """One step, one observation, whichever was taken up first."""
    pods = tuple(guaranteed(name, "6Gi") for name in "abc")

    verdicts = run(subject, AdmitTogether(pods)).observations[1].pods or {}

    assert set("abc") == set(verdicts)
    assert 2 == sum(verdict.admitted for verdict in verdicts.values())


KILLED = """
import os, sys
from tests.test_kubelet_subject import DEFAULT, MACHINE, STATIC, Scenario, Admit, guaranteed, open_subject
subject = open_subject(DEFAULT)
subject._after = lambda *_: None  # keep the node
subject.run(Scenario("killed", MACHINE, STATIC, (Admit(guaranteed("a", "1Gi")),)))
print(subject._node.agent.pid, flush=True)
sys.stdin.read()
"""


def descendants(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    children = [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
    return [pid, *(each for child in children for each in descendants(child))]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_when_the_runner_ends(subject: KubeletSubject, how: signal.Signals) -> None:
    """After Ctrl-C and after `kill -9` no agent, kubelet, mount or file remains."""
    mounts = Path("/proc/self/mountinfo").read_text()
    runner = subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with runner:
        assert runner.stdout is not None
        everything = descendants(int(runner.stdout.readline()))
        watches = [os.pidfd_open(pid) for pid in everything]

        runner.send_signal(how)

    assert len(everything) >= 3
    assert [] == [pid for pid, watch in zip(everything, watches, strict=True) if not ended(watch)]
    assert mounts == Path("/proc/self/mountinfo").read_text()


def ended(watch: int) -> bool:
    """Whether a process ends within ten seconds."""
    import select

    with os.fdopen(watch) as file:
        return bool(select.select([file], [], [], 10)[0])

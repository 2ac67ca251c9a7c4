"""`restart: {cpuState: …}`: a CPU manager's state file that a scenario puts in place, or takes away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from pinproof.errors import InputError
from pinproof.history import Observation
from pinproof.judge.course import course
from pinproof.judge.render import describe_step
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.scenario.reader import parse_scenario
from pinproof.scenario.steps import Restart, Scenario, StateText
from pinproof.scenario.writer import write_scenario
from pinproof.skew.golden import CPU, Writer, folder, golden, scenario_of

WRITER = Writer("1.35.4")
FILE = golden(WRITER, "single-node").cpu
NODE = scenario_of("single-node", managed=False)


def text(restart: str) -> str:
    """A scenario file with this restart."""
    return (
        "apiVersion: pinproof/v1alpha1\nkind: Scenario\nmetadata: {name: s}\ntopology: hugepages_even\n"
        f"steps:\n- restart: {restart}\n"
    )


def restarted(**changes: Any) -> Observation:
    """A node with pods after a restart, which has these fields."""
    restart = replace(Restart(), **changes)
    (history,) = predict(replace(NODE, steps=(*NODE.steps, restart)), behaviour_of("1.35")).histories
    return history.observations[-1]


def entries(seen: Observation) -> object:
    """Pod → its container's exclusive CPUs."""
    assert seen.cpu
    return {pod: cpus for pod, held in seen.cpu.entries.items() for cpus in held.values()}


@pytest.mark.parametrize(
    ("written", "state"),
    [
        ("{}", "keep"),
        ("{cpuState: lose}", "lose"),
        ("{cpuState: {text: '{}'}}", StateText("{}")),
        (f"{{cpuState: {WRITER.name}/single-node/{CPU}}}", StateText(FILE)),
    ],
)
def test_forms(written: str, state: object) -> None:
    """A word, a text, or a file; written again it reads the same."""
    scenario = parse_scenario(text(written), base=folder())
    (step,) = scenario.steps

    assert isinstance(step, Restart)
    assert state == step.cpu_state
    assert scenario.steps == parse_scenario(write_scenario(scenario)).steps


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{cpuState: gone}", "write keep, lose, a file, or a mapping with text"),
        ("{cpuState: {find: a, replace: b}}", "unknown key"),
        ("{cpuState: {}}", "this is required and missing"),
    ],
)
def test_what_is_wrong_is_told(written: str, message: str) -> None:
    """With what would be right."""
    with pytest.raises(InputError, match=message):
        parse_scenario(text(written), base=Path("/nowhere"))


def test_kept_replaced_and_lost() -> None:
    """The file decides which CPUs the pods have after the start; without one they are given anew, near their memory."""
    other = golden(WRITER, "no-pods").cpu

    assert {"a": "8-9", "b": "1"} == entries(restarted())
    assert {"a": "8-9", "b": "1"} == entries(restarted(cpu_state=StateText(FILE)))
    assert {"a": "8-9", "b": "1"} == entries(restarted(cpu_state="lose"))
    assert {"a": "1-2", "b": "3"} == entries(restarted(cpu_state="lose", state="lose"))
    assert {"a": "1-2", "b": "3"} == entries(restarted(cpu_state=StateText(other), state="lose"))


def test_a_file_stays_after_a_refusal() -> None:
    """A kubelet that does not start leaves the file to the next, which has the gate and takes it."""
    managed = Writer("1.36.3", managed=True)
    step = Restart(cpu_state=StateText(golden(managed, "single-node").cpu))
    later = Restart(kubernetes="1.36.3", kubelet=scenario_of("single-node", managed=True).kubelet)
    (history,) = predict(replace(NODE, steps=(*NODE.steps, step, later)), behaviour_of("1.35")).histories

    assert [False, True] == [seen.running for seen in history.observations[-2:]]
    assert {"a": "8-9", "b": "1"} == entries(history.observations[-1])


@pytest.mark.parametrize(("state", "said"), [("lose", "CPU state lost"), (StateText("{}"), "CPU state replaced")])
def test_a_restart_with_another_file_is_no_plain_one(state: Literal["lose"] | StateText, said: str) -> None:
    """It is described, and a kubelet need not be as it was before."""
    step = Restart(cpu_state=state)
    scenario = Scenario("s", NODE.machine, NODE.kubelet, (step,))
    (history,) = predict(replace(NODE, steps=(Restart(),)), behaviour_of("1.35")).histories

    assert said in describe_step(scenario, 1)
    assert [False, False] == [moment.unchanged for moment in course(scenario, history)]

"""Crashes and faults carried out on a node: what the agent is told, and what came of it.

The kubelet is stopped by its node's agent at the system call or the runtime call itself, so a point is reached by design:
nothing of the event happens after it, however slow the machine is.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from pinproof.scenario.faults import AtWrite, CallFault, Disk, Forgetting, Point, Runtime, StateFile
from pinproof.scenario.steps import Crash, Scenario
from pinproof.subjects.kubelet.agent import Agent
from pinproof.subjects.kubelet.refusal import Ending

Traps = Literal["", "renames", "opens"]
"""What a kubelet is stopped at and asked about: nothing, giving files their names, opening them as well."""

CRASHED: Final = Ending("crashed", "")


def traps(scenario: Scenario) -> Traps:
    """With which traps all kubelets of a scenario run. One that opens files is stopped a thousand times in its start."""
    steps = scenario.steps
    if any(isinstance(step, Disk) and step.state == "unreadable" for step in steps):
        return "opens"
    return "renames" if any(isinstance(step, Crash | Disk) for step in steps) else ""


def wants_own_node(scenario: Scenario) -> bool:
    """Whether something goes wrong, after which nobody knows what a node has left from it."""
    return any(isinstance(step, Crash | Disk | Runtime) for step in scenario.steps)


def troubles_runtime(scenario: Scenario) -> bool:
    """Whether calls to the container runtime go wrong, so that a kubelet takes its time over a pod."""
    return any(isinstance(step, Runtime) for step in scenario.steps)


def arm(agent: Agent, point: Point) -> None:
    """Let the kubelet be killed at a point; writes and calls are counted from now on."""
    if isinstance(point, AtWrite):
        agent.call("arm", write=point.file, number=point.number, moment=point.moment)
    else:
        agent.call("arm", call=point.method, number=point.number, moment=point.moment)


def disarm(agent: Agent) -> Ending | None:
    """How the kubelet ended if it came to the point; else it may go on."""
    return CRASHED if agent.call("disarm")["reached"] else None


def remark(point: Point, *, reached: bool) -> str:
    """What a report says of a point."""
    event = f"write {point.number} of {point.file}" if isinstance(point, AtWrite) else f"{point.method} {point.number}"
    words = "the kubelet was killed" if reached else "the step ended without coming to the point"
    return f"{words}: {point.moment} {event}"


def spoil(agent: Agent, disk: Disk) -> None:
    """Put state files on such a disk, or on one that works."""
    for file in (disk.file,) if disk.file else get_args(StateFile):
        agent.call("disk", file=file, state=disk.state)


def upset(agent: Agent, fault: CallFault | Forgetting) -> None:
    """Let something happen to the container runtime."""
    match fault:
        case CallFault(method, how, times):
            agent.call("fault", method=method, how=how, times=times)
        case Forgetting():
            agent.call("forget_all")

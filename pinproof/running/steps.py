"""Words for steps. What a restart changes may be given as a case gives it: a machine's name, a configuration maker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pinproof.running.configuration import Configuration
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.faults import AtCall, AtWrite, CallFault, Disk, Forgetting, Method, Point, Runtime, StateFile
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import (
    Admit,
    AdmitTogether,
    Crash,
    Exit,
    Remove,
    Restart,
    StateEdit,
    StateText,
    Step,
    begun,
)

State = Literal["keep", "lose"] | StateEdit | StateText


@dataclass(frozen=True, slots=True)
class PlannedRestart:
    """A restart whose machine or configuration is worked out when the machine is known."""

    plain: Restart
    machine: str | Machine | None
    kubelet: Configuration | KubeletConfig | None

    def on(self, current: Machine) -> Restart:
        """The restart on the machine that the scenario has reached."""
        from pinproof.scenario.topologies import machine

        new = machine(self.machine) if isinstance(self.machine, str) else self.machine
        config = self.kubelet(new or current) if isinstance(self.kubelet, Configuration) else self.kubelet
        return replace(self.plain, machine=new, kubelet=config)


@dataclass(frozen=True, slots=True)
class PlannedCrash:
    """A kill in the middle of such a restart."""

    during: PlannedRestart
    at: Point

    def on(self, current: Machine) -> Crash:
        """The kill on the machine that the scenario has reached."""
        return Crash(self.during.on(current), self.at)


Planned = PlannedRestart | PlannedCrash


def admit(pod: Pod) -> Admit:
    """The pod arrives."""
    return Admit(pod)


def admit_together(*pods: Pod) -> AdmitTogether:
    """The pods arrive at once; any order in which the kubelet may take them up will do."""
    return AdmitTogether(pods)


def remove(pod: str | Pod) -> Remove:
    """The pod is deleted."""
    return Remove(pod if isinstance(pod, str) else pod.name)


def exits(pod: str | Pod, container: str, code: int = 0) -> Exit:
    """A running container ends. Init containers run until such a step ends them."""
    return Exit(pod if isinstance(pod, str) else pod.name, container, code)


def restart(
    *,
    state: State = "keep",
    cpu_state: Literal["keep", "lose"] | StateText = "keep",
    order: tuple[str, ...] = (),
    signal: Literal["TERM", "KILL", "POWER", "REBOOT"] = "TERM",
    kernel: str = "",
    machine: str | Machine | None = None,
    kubelet: Configuration | KubeletConfig | None = None,
    kubernetes: str | None = None,
) -> PlannedRestart:
    """The kubelet stops and starts again.

    Args:
        state: what happens to the state file meanwhile: `keep`, `lose`, `edited(...)` or `replaced(...)`.
        cpu_state: what happens to the CPU manager's state file: `keep`, `lose` or `replaced(...)`.
        order: pods in the order of their re-admission.
        signal: how the kubelet is stopped; `POWER` is the power of its node, `REBOOT` boots it in order; no container survives.
        kernel: words for the kernel of a node that boots; `kaslr` lets it choose its place in memory.
        machine: the machine after the restart, where it changed.
        kubelet: the configuration after the restart, where it changed.
        kubernetes: the release after the restart, where it changed.
    """
    plain = Restart(state=state, cpu_state=cpu_state, order=order, signal=signal, kernel=kernel, kubernetes=kubernetes)
    return PlannedRestart(plain, machine, kubelet)


def killed(during: Admit | Remove | Exit | PlannedRestart, at: Point) -> Crash | PlannedCrash:
    """The kubelet is killed at a point of a step, of `at_write` or `at_call`, and does not run afterwards."""
    return PlannedCrash(during, at) if isinstance(during, PlannedRestart) else Crash(during, at)


def at_write(
    number: int = 1, moment: Literal["before", "unnamed", "after"] = "after", *, of: Literal["memory", "cpu"] = "memory"
) -> AtWrite:
    """The how-many-th write of a manager's state file in the step; `unnamed`: its text is there and has not its name yet."""
    return AtWrite("memory_manager_state" if of == "memory" else "cpu_manager_state", number, moment)


def at_call(method: Method, moment: Literal["before", "after"] = "before", *, number: int = 1) -> AtCall:
    """The how-many-th call of this method to the runtime in the step; `after`: it is done, and the kubelet has no answer."""
    return AtCall(method, number, moment)


def disk(
    state: Literal["works", "full", "read-only", "unreadable"], *, of: Literal["memory", "cpu"] | None = None
) -> Disk:
    """From now on the state files, or one manager's, are on such a disk."""
    files: dict[str, StateFile] = {"memory": "memory_manager_state", "cpu": "cpu_manager_state"}
    return Disk(state, files[of] if of else None)


def calls(method: Method, how: Literal["fails", "late", "hangs"], *, times: int = 1) -> Runtime:
    """The next calls of a method fail, or are answered two seconds late; or all hang until the kubelet is stopped."""
    return Runtime(CallFault(method, how, times))


def runtime_forgets() -> Runtime:
    """The container runtime restarts and knows nothing any more."""
    return Runtime(Forgetting())


def edited(find: str, put: str, *, checksum: Literal["keep", "recompute"] = "keep") -> StateEdit:
    """The state file with one text replaced by another; `recompute` makes the checksum valid again."""
    return StateEdit(find=find, replace=put, checksum=checksum)


def replaced(text: str) -> StateText:
    """The state file replaced as a whole."""
    return StateText(text)


def planned(steps: tuple[Step | Planned, ...], machine: Machine) -> tuple[Step, ...]:
    """The steps with every plan worked out, following the machine through restarts that change it."""
    done: list[Step] = []
    for step in steps:
        concrete = step.on(machine) if isinstance(step, Planned) else step
        event = begun(concrete)
        if isinstance(event, Restart) and event.machine is not None:
            machine = event.machine
        done.append(concrete)
    return tuple(done)

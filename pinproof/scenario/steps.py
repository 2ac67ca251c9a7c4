"""Scenario = machine + kubelet configuration + steps. All values; nothing about how it is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.faults import Disk, Point, Runtime
from pinproof.scenario.machine import Machine
from pinproof.scenario.pod import Pod


@dataclass(frozen=True, slots=True)
class Admit:
    """A pod arrives at the node."""

    pod: Pod


@dataclass(frozen=True, slots=True)
class AdmitTogether:
    """Pods arrive at once. A kubelet admits them one by one, in an order of its own; the judge finds one that explains all."""

    pods: tuple[Pod, ...]
    """At a restart they come back in this order."""


@dataclass(frozen=True, slots=True)
class Remove:
    """A pod is deleted; the step ends when the kubelet no longer knows it."""

    pod: str


@dataclass(frozen=True, slots=True)
class Exit:
    """A running container ends with a code. Init containers run until such a step ends them."""

    pod: str
    container: str
    code: int = 0


@dataclass(frozen=True, slots=True)
class StateEdit:
    """The state file is rewritten while the kubelet is down."""

    find: str
    replace: str
    checksum: Literal["keep", "recompute"] = "keep"
    """Whether the edited text keeps the old checksum (a corrupted file) or gets a valid one (a foreign file)."""


@dataclass(frozen=True, slots=True)
class StateText:
    """The state file is replaced by this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Restart:
    """The kubelet stops and starts again; running containers go on meanwhile, unless the node has no power.

    Pods that were rejected or have finished do not come back: as with an API server, they are terminal.
    """

    state: Literal["keep", "lose"] | StateEdit | StateText = "keep"
    """What happens to `memory_manager_state` in between."""

    cpu_state: Literal["keep", "lose"] | StateText = "keep"
    """What happens to `cpu_manager_state`."""

    order: tuple[str, ...] = ()
    """Pods in the order of their re-admission; pods that are not named follow in the order of their first admission."""

    signal: Literal["TERM", "KILL", "POWER", "REBOOT"] = "TERM"
    """`POWER`: the node loses its power; what is on its disk stays, and no container does. `REBOOT`: it boots in order."""

    kernel: str = ""
    """Words for the kernel of a node that boots, such as `crashkernel=64M`; `kaslr` lets it choose its place."""

    machine: Machine | None = None
    """The machine after the restart, where it changed."""

    kubelet: KubeletConfig | None = None
    """The configuration after the restart, where it changed."""

    kubernetes: str | None = None
    """The kubelet release after the restart, where it changed (`1.36.3`)."""

    @property
    def boots(self) -> bool:
        """Whether the whole node starts again, so that no container survives."""
        return self.signal in ("POWER", "REBOOT")


@dataclass(frozen=True, slots=True)
class Crash:
    """The kubelet is killed in the middle of another step, and does not run afterwards.

    A point that the step does not come to kills nothing: the step ends as it would without.
    """

    during: Admit | Remove | Exit | Restart
    at: Point


Step = Admit | AdmitTogether | Remove | Exit | Restart | Crash | Disk | Runtime


def begun(step: Step) -> Step:
    """The step that the node sees begin: that of a crash is the one that it interrupts."""
    return step.during if isinstance(step, Crash) else step


@dataclass(frozen=True, slots=True)
class Scenario:
    """A machine, a kubelet configuration and a sequence of events."""

    name: str
    machine: Machine
    kubelet: KubeletConfig
    steps: tuple[Step, ...] = ()

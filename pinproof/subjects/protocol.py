"""The seam between a scenario and whatever runs it.

A subject is given a scenario and answers with a history; it judges nothing. One implementation a file (or a folder for
those that need several). `open_subject` in `registry.py` turns `kubelet:1.36.3` into one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from pinproof.history import History
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Scenario, Step

ADMIT_HINTS: Final = "admit.hints"
"""A pod whose `hints` say what another hint provider answers."""

CRASH_AT_CALL: Final = "crash.call"
"""A kubelet that is killed at a call to its container runtime."""

MACHINE_WINDOWS: Final = "machine.windows"
"""A machine with `os: windows`."""

WITHOUT_MEMORY_MANAGER: Final = "kubelet.memoryManagerOff"
"""A kubelet whose gate `MemoryManager` is off; from 1.32 on it does not start."""

EXPOSITION: Final = "counters.exposition"
"""Which series there are, beside what they stand at: a labelled one that was never touched is on no metrics page."""

POWER_CUT: Final = "restart.power"
"""A restart for which the node loses its power, `signal: POWER`."""

REBOOT: Final = "restart.reboot"
"""A restart for which the node shuts down in order and boots, `signal: REBOOT`."""


ADMIT_STATIC: Final = "admit.static"
"""A pod that comes to its node as a static pod."""

ADMIT_WAYS: Final = frozenset(
    {"admit.scheduler", "admit.Deployment", "admit.DaemonSet", "admit.replaces", ADMIT_STATIC}
)
"""`admit.WAY` for each way by which a pod may come, and pods that replace rejected ones."""

RESTARTS: Final = frozenset(
    f"restart{field}"
    for field in ("", ".state", ".cpu_state", ".order", ".signal", ".machine", ".kubelet", ".kubernetes")
)
"""A restart, and what every subject that can restart its kubelet can honour of one."""

NODE_STEPS: Final = frozenset({"admit", "remove", "exit"}) | RESTARTS
"""What every subject with a node of its own can do."""

FAULTS: Final = frozenset({"crash", CRASH_AT_CALL, "disk", "runtime"})
"""Kubelets that are killed, disks that refuse and runtimes that fail."""


class NotObservableError(Exception):
    """The subject cannot show or do what a case needs; the case is `not_applicable`, with this reason."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a subject can show and do; what it cannot is `not_applicable`, never a pass."""

    observables: frozenset[str]
    """Names of the fields of `Observation` that it fills, and `EXPOSITION` where a metrics page is read."""

    steps: frozenset[str]
    """`admit`, `admitTogether`, `remove`, `exit`, `restart`, `restart.<field>` for each field of a restart that it can honour;
    `POWER_CUT`, `REBOOT`; of `ADMIT_WAYS` those that it has;
    `crash`, `CRASH_AT_CALL`, `disk`, `runtime`; `WITHOUT_MEMORY_MANAGER`; of a subject inside the kubelet's process
    `ADMIT_HINTS` and `MACHINE_WINDOWS`."""


@runtime_checkable
class Prepares(Protocol):
    """A subject that needs minutes before its first scenario, which are nobody's hang."""

    def prepare(self) -> None:
        """Do what is to be done once. Raises SubjectError."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A node that is there, as it is found."""

    machine: Machine
    kubelet: KubeletConfig
    before: tuple[Step, ...]
    """What leads to the pods and books that it has; a scenario on it begins with these steps, and they are not carried out."""


@runtime_checkable
class Given(Protocol):
    """A subject whose node is given: no scenario chooses its machine and configuration, and there are pods on it."""

    def found(self) -> Found:
        """The node as it is now. Raises SubjectError; NotObservableError where no scenario can begin like this."""
        ...

    def own(self, scenario: Scenario) -> Scenario:
        """What of a scenario is to be carried out. Raises NotObservableError where it begins with another node."""
        ...


class Subject(Protocol):
    """Something that can be given a scenario and observed."""

    name: str
    """As the user wrote it: `kubelet:1.36.3`."""

    version: str
    """The Kubernetes release it is: `1.36.3`; the reference of its minor predicts it."""

    capabilities: Capabilities

    def properties(self) -> Mapping[str, str]:
        """Facts for reports: version, binary digest, privileges, host kernel."""

    def run(self, scenario: Scenario) -> History:
        """Carry out the scenario on a clean node.

        Raises:
            SubjectError: the subject itself cannot be started.
            NotObservableError: a step turned out to be one that it cannot do, with these values.
        """

    def close(self) -> None:
        """Leave nothing behind: no process, mount, cgroup or file. May be called twice."""

"""What goes wrong besides the kubelet itself: the moment at which it is killed, its disk, its container runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StateFile = Literal["memory_manager_state", "cpu_manager_state"]
"""The checkpoints of the two managers, by the names that they have in the kubelet's directory."""

Method = Literal["RunPodSandbox", "CreateContainer", "StartContainer", "StopContainer", "StopPodSandbox"]
"""A call of the kubelet to its container runtime."""


@dataclass(frozen=True, slots=True)
class AtWrite:
    """A write of a state file. The kubelet writes a file without name and renames it."""

    file: StateFile
    number: int = 1
    """The how-many-th write of this file within the step, from 1."""

    moment: Literal["before", "unnamed", "after"] = "after"
    """Nothing of it is on disk; the new text is there, still without its name; the file has the new text."""


@dataclass(frozen=True, slots=True)
class AtCall:
    """A call to the container runtime."""

    method: Method
    number: int = 1
    """The how-many-th call of this method within the step, from 1."""

    moment: Literal["before", "after"] = "before"
    """The runtime has not done it; it has, and the kubelet has not heard so."""


Point = AtWrite | AtCall


@dataclass(frozen=True, slots=True)
class Disk:
    """From now on the state files are on such a disk. Changes nothing else in the kubelet's directory."""

    state: Literal["works", "full", "read-only", "unreadable"]
    """No new text gets its name (`ENOSPC`, `EROFS`); the files cannot be opened (`EACCES`)."""

    file: StateFile | None = None
    """The file that it is about; None for both."""


@dataclass(frozen=True, slots=True)
class CallFault:
    """The next calls of a method do not simply succeed."""

    method: Method
    how: Literal["fails", "late", "hangs"]
    """An error; an answer two seconds late; no answer until the kubelet is stopped."""

    times: int = 1
    """So many calls; a method that hangs does so for all of them."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """The container runtime restarts and knows none of its sandboxes and containers any more."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Something happens to the container runtime."""

    fault: CallFault | Forgetting

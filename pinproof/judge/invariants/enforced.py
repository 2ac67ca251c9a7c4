"""I-11: the kernel holds containers to what their runtime was told.

Only a subject on a real runtime shows this, and only for sets that its host has: nodes of a made machine never reach the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.judge.course import Moment
from pinproof.judge.invariants.violation import Violation
from pinproof.scenario.cpuset import CpuSet


def kernel_enforces_what_was_told(moment: Moment) -> Iterator[Violation]:
    """I-11, for every container of which the kernel was looked at; lists are compared as sets."""
    for pod, containers in (moment.now.enforced or {}).items():
        for container, (told, kernel) in containers.items():
            for name, due, seen in zip(told._fields, told, kernel, strict=True):
                if due and not _same(due, seen):
                    yield Violation("I-11", f"enforced.{pod}.{container}.{name}", f"{due}, as told", seen or "nothing")


def _same(due: str, seen: str) -> bool:
    """Whether two lists are of the same numbers; what is no list, a kubelet told in error, is compared as it is written."""
    try:
        return CpuSet.parse(due) == CpuSet.parse(seen)
    except ValueError:
        return due == seen

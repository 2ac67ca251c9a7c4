"""I-12: memory lies where it was promised, on subjects whose kernel is seen.

* A container that was created in this step has memory of its own only on the NUMA nodes of its blocks, and no other binds it.
* Afterwards it never has any elsewhere than on the nodes that the runtime was told. Only that: a running container is never
  pinned anew, so that after a lost state file the books may say something else for good.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.history import Pages
from pinproof.judge.course import Moment
from pinproof.judge.invariants.reported import nodes_of
from pinproof.judge.invariants.violation import Violation
from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.steps import Exit, Restart


def memory_lies_where_promised(moment: Moment) -> Iterator[Violation]:
    """I-12 of what is on the node after a step."""
    if moment.now.pages is None or moment.now.assignments is None or moment.behind:
        return
    for pod in moment.live:
        for container, seen in moment.now.pages.get(pod, {}).items():
            path = f"pages.{pod}.{container}"
            due = nodes_of(moment.now.assignments, pod, container)
            if due and _is_new(moment, pod, container):
                yield from _new(path, due, seen)
            told = (moment.now.told or {}).get(pod, {}).get(container)
            bound = _listed(told.cpuset_mems) if told and told.cpuset_mems else set(seen.nodes)
            if not set(seen.nodes) <= bound:
                yield Violation("I-12", path, f"memory on {CpuSet(bound)} alone, as the runtime was told", _words(seen))


def _is_new(moment: Moment, pod: str, container: str) -> bool:
    if moment.before is None or container not in (moment.before.pages or {}).get(pod, {}):
        return True
    if isinstance(moment.step, Exit):
        return (moment.step.pod, moment.step.container) == (pod, container)
    return isinstance(moment.step, Restart) and moment.step.boots


def _new(path: str, due: tuple[int, ...], seen: Pages) -> Iterator[Violation]:
    if not set(seen.nodes) <= set(due):
        yield Violation("I-12", path, f"memory on {CpuSet(due)} alone, the nodes of its blocks", _words(seen))
    for name, bound in (("effective", seen.effective), ("allowed", seen.allowed)):
        if _listed(bound) != set(due):
            yield Violation("I-12", f"{path}.{name}", f"{CpuSet(due)}, the nodes of its blocks", bound)


def _listed(text: str) -> set[int]:
    """The numbers of a list; none of a text that is no list."""
    try:
        return set(CpuSet.parse(text))
    except ValueError:
        return set()


def _words(seen: Pages) -> str:
    each = [f"{size >> 10} KiB on {node}" for node, size in sorted(seen.anonymous.items())]
    return ", ".join(
        [*each, *(f"{size >> 10} KiB of huge pages on {node}" for node, size in sorted(seen.huge.items()))]
    )

"""Answers of the driver (`driver/component/README.md`) as histories. Pure.

From one step to the next most of a node stays as it was. The driver tells only what reads otherwise, and all else stays the
same value. That is most of the speed; it also lets the judge pass over equal parts by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from pinproof.errors import CaptureError
from pinproof.history import (
    Block,
    CpuState,
    Hint,
    Hinted,
    NodeState,
    Observation,
    PodVerdict,
    Resources,
    Table,
    Told,
    hint_order,
)
from pinproof.subjects.kubelet.observe import Names, left_in_files

Raw = Mapping[str, Any]

_ADMITTED: Final = PodVerdict(admitted=True)


class _Uids(Names):
    """UIDs of a component: the pod's name and the number of its arrival."""

    def of(self, uid: str) -> str:
        """The pod's name."""
        return uid.rpartition(".")[0] or uid


def observations(raws: Iterable[Raw]) -> tuple[Observation, ...]:
    """The observations of one history, in order."""
    last: dict[str, Any] = {}
    return tuple([_observation(raw, last) for raw in raws])


def _observation(raw: Raw, last: dict[str, Any]) -> Observation:
    """One observation; `last` has every field as it was when the kubelet ran last, and is brought up to date."""
    if not raw["running"]:
        return _down(raw)
    for name, told in raw.items():
        if name in _OBJECTS:
            last[name] = _changed(last.get(name, {}), told, _OBJECTS[name])
        elif name in _FIELDS:
            last[name] = _FIELDS[name](told)
    return Observation(
        running=True,
        pods=last["pods"],
        assignments=last["assignments"],
        pod_assignments=last["podAssignments"],
        machine=last["machine"],
        policy=last["policy"],
        state_file=last.get("stateFile"),
        cpu=last["cpu"],
        told=last["told"],
        counters=last["counters"],
        allocatable=last["allocatable"],
        hints=last.get("hints"),
    )


def _down(raw: Raw) -> Observation:
    """A kubelet that does not run: it refuses and has said why, or it was killed. A file that is foreign is not looked into."""
    if raw["refusal"] is None:
        with suppress(CaptureError):
            return left_in_files(raw["stateFile"] or None, raw["cpuStateFile"] or None, _Uids())
    return Observation(running=False, refusal=raw["refusal"], state_file=raw["stateFile"])


def _changed(before: Mapping[Any, Any], told: Raw, read: Callable[[Any], Any]) -> Mapping[Any, Any]:
    """An object in which the members that are told are others now, and those that are told as null are gone."""
    changed = dict(before)
    for name, value in told.items():
        key = int(name) if read is _node else name
        if value is None:
            del changed[key]
        else:
            changed[key] = read(value)
    return changed


def _node(raw: Any) -> NodeState:
    assignments, cells, memory = raw
    return NodeState(assignments, {name: Table(*amounts) for name, amounts in memory.items()}, tuple(cells))


def _verdict(raw: Any) -> PodVerdict:
    return _ADMITTED if raw[0] else PodVerdict(*raw)


def _blocks(raw: Iterable[Any]) -> tuple[Block, ...]:
    return tuple(sorted([Block(tuple(affinity), kind, size) for affinity, kind, size in raw]))


def _containers(raw: Mapping[str, Any]) -> dict[str, tuple[Block, ...]]:
    return {container: _blocks(blocks) for container, blocks in raw.items()}


def _told(raw: Mapping[str, Any]) -> dict[str, Told]:
    return {container: Told(*words) for container, words in raw.items()}


def _same(raw: Any) -> Any:
    return raw


def _cpu(raw: Any) -> CpuState:
    return CpuState(*raw)


def _allocatable(raw: Any) -> Resources:
    memory, cpus = raw
    return Resources(_blocks(memory), cpus)


def _hinted(raw: Iterable[Any]) -> tuple[Hinted, ...]:
    return tuple(
        [Hinted(pod, container, _answers(answers), _merged(merged)) for pod, container, answers, merged in raw]
    )


def _answers(raw: Mapping[str, Any]) -> dict[str, dict[str, tuple[Hint, ...] | None]]:
    return {
        provider: {resource: hints_of(hints) for resource, hints in resources.items()}
        for provider, resources in raw.items()
    }


def _merged(raw: str | None) -> Hint | None:
    return None if raw is None else _hint(raw)


_OBJECTS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "pods": _verdict,
        "assignments": _containers,
        "podAssignments": _blocks,
        "machine": _node,
        "told": _told,
        "counters": _same,
    }
)
"""Fields that are told member by member → how a member is read."""

_FIELDS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"policy": _same, "stateFile": _same, "cpu": _cpu, "allocatable": _allocatable, "hints": _hinted}
)
"""Fields that are told as a whole → how they are read."""

KEPT: Final = 1_000
"""Characters of a text of hints that is remembered: those of six nodes. Longer ones cost memory and seldom come again."""


def hints_of(text: str | None) -> tuple[Hint, ...] | None:
    """Hints in order; None for no preference, which the single hint "any, preferred" is taken for as well.

    >>> hints_of("0,1 1! any"), hints_of("any!"), hints_of("")
    (((None, False), ((0, 1), False), ((1,), True)), None, ())
    """
    if text is None or text == "any!":
        return None
    return _remembered(text) if len(text) <= KEPT else _hints(text)


def _hints(text: str) -> tuple[Hint, ...]:
    return tuple(sorted(map(_hint, text.split()), key=hint_order))


_remembered = lru_cache(maxsize=2048)(_hints)


def _hint(word: str) -> Hint:
    """`0,1!`: node ids, and a mark on a preferred one; `any` and `none` stand for no mask and for one without nodes."""
    nodes, preferred = word.rstrip("!"), word.endswith("!")
    if nodes == "any":
        return None, preferred
    return (() if nodes == "none" else tuple(map(int, nodes.split(",")))), preferred

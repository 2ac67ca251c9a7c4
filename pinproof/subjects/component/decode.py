"""Answers of the driver (`driver/component/README.md`) as histories. Pure.

From one step to the next most of a node stays as it was, so whatever reads the same as in the observation before becomes
the same value again. That is most of the speed; it also lets the judge pass over equal parts by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from pinproof.history import (
    Assignments,
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

Raw = Mapping[str, Any]
T = TypeVar("T")

_ADMITTED: Final = PodVerdict(admitted=True)


def observations(raws: Iterable[Raw]) -> tuple[Observation, ...]:
    """The observations of one history, in order."""
    decoder = _Decoder()
    return tuple(decoder.observation(raw) for raw in raws)


class _Decoder:
    """Remembers, for each field, what it read last and what that became."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Any, Any]] = {}

    def observation(self, raw: Raw) -> Observation:
        if not raw["running"]:
            return Observation(running=False, refusal=raw["refusal"], state_file=raw["stateFile"])
        field = self._field
        return Observation(
            running=True,
            pods=field("pods", raw, _pods),
            assignments=field("assignments", raw, _assignments),
            pod_assignments=field("podAssignments", raw, _pod_assignments),
            machine=self._machine(raw["machine"]),
            policy=raw["policy"],
            state_file=raw.get("stateFile"),
            cpu=field("cpu", raw, _cpu),
            told=field("told", raw, _told),
            counters=raw["counters"],
            allocatable=field("allocatable", raw, _allocatable),
            hints=tuple(_hinted(each) for each in raw["hints"] or ()) if "hints" in raw else None,
        )

    def _field(self, name: str, raw: Raw, read: Callable[[Any], T]) -> T:
        return self._kept(name, raw[name], read)

    def _kept(self, name: str, value: Any, read: Callable[[Any], T]) -> T:
        before = self._last.get(name)
        if before is not None and before[0] == value:
            kept: T = before[1]
            return kept
        made = read(value)
        self._last[name] = (value, made)
        return made

    def _machine(self, raw: Mapping[str, Any]) -> dict[int, NodeState]:
        """Node by node, as an admission changes one or two of them."""
        return {int(number): self._kept(number, node, _node) for number, node in raw.items()}


def _node(raw: Any) -> NodeState:
    assignments, cells, memory = raw
    return NodeState(assignments, {name: Table(*amounts) for name, amounts in memory.items()}, tuple(cells))


def _pods(raw: Mapping[str, Any]) -> dict[str, PodVerdict]:
    return {name: _ADMITTED if answer[0] else PodVerdict(*answer) for name, answer in raw.items()}


def _blocks(raw: Iterable[Any]) -> tuple[Block, ...]:
    return tuple(sorted(Block(tuple(affinity), kind, size) for affinity, kind, size in raw))


def _assignments(raw: Mapping[str, Any]) -> Assignments:
    return {
        pod: {container: _blocks(blocks) for container, blocks in containers.items()} for pod, containers in raw.items()
    }


def _pod_assignments(raw: Mapping[str, Any]) -> dict[str, tuple[Block, ...]]:
    return {pod: _blocks(blocks) for pod, blocks in raw.items()}


def _cpu(raw: Any) -> CpuState:
    return CpuState(*raw)


def _told(raw: Mapping[str, Any]) -> dict[str, dict[str, Told]]:
    return {
        pod: {container: Told(*words) for container, words in containers.items()} for pod, containers in raw.items()
    }


def _allocatable(raw: Any) -> Resources:
    memory, cpus = raw
    return Resources(_blocks(memory), cpus)


def _hinted(raw: Any) -> Hinted:
    pod, container, answers, merged = raw
    return Hinted(
        pod,
        container,
        {
            provider: {resource: _hints(hints) for resource, hints in resources.items()}
            for provider, resources in answers.items()
        },
        None if merged is None else _hint(merged),
    )


def _hints(raw: Any) -> tuple[Hint, ...] | None:
    """The single hint "any, preferred" is what the Topology Manager takes no preference for."""
    if raw is None or raw == [[None, True]]:
        return None
    return tuple(sorted(map(_hint, raw), key=hint_order))


def _hint(raw: Any) -> Hint:
    mask, preferred = raw
    return (None if mask is None else tuple(mask)), preferred

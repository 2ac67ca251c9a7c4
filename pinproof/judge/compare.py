"""Compare what was seen with what the model predicts, observation by observation, field by field.

Rules:

* A field that is None on either side, or that the subject does not claim to show, is not compared; `coverage` says
  which.
* `running` is always compared. Where it differs the rest of the observation is noise and is left out.
* `refusal`: the predicted text is contained in what the kubelet said, which carries wrapping and context of its own.
* `counters`: the predicted ones; a kubelet has many more. A labelled series that is missing counts as 0.
* `hints`: one by one, in the order in which the Topology Manager asked.
* `state_file`: whether there is one. Its text has its blocks in random order; `state_file.py` checks it against itself.
* Everything else is equal, rejection messages and the split of memory over the nodes of a group included.

Where several histories are allowed, the differences are those against the closest: the one with the longest equal
prefix, then the one with the fewest differences.

>>> from pinproof.history import Observation
>>> up, down = (History("x", (Observation(running=on),)) for on in (True, False))
>>> [difference.path for difference in compare(Prediction((up,)), down, Capabilities(frozenset(), frozenset()))]
['running']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pinproof.history import Hinted, History, NodeState, Observation, PodVerdict, Prediction, parts_of
from pinproof.subjects.protocol import Capabilities

COMPARED = (
    "refusal",
    "pods",
    "events",
    "made",
    "policy",
    "hints",
    "assignments",
    "pod_assignments",
    "machine",
    "state_file",
    "cpu",
    "told",
    "counters",
    "pod_resources",
    "allocatable",
)
"""Fields of an observation beside `running`, in the order in which a person wants to read their differences."""


THRIFTY = ("allocatable",)
"""Fields that a subject may leave out of some observations, because asking costs it much."""


class Absent(Enum):
    """The value of a place that one side does not have."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return self.value


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the subject and the model differ."""

    step: int
    """Index of the observation: 0 is the start of the kubelet, n is after the n-th step."""

    path: str
    """Where, such as `machine.0.memory.free` or `pods.a.reason`."""

    expected: object
    """What the model predicts, `ABSENT` for nothing."""

    seen: object
    """What the subject showed, `ABSENT` for nothing."""


def compare(prediction: Prediction, observed: History, capabilities: Capabilities) -> tuple[Difference, ...]:
    """Differences against the closest allowed history; none when the subject did what the model allows."""
    return closest(prediction, observed, capabilities)[1]


def closest(
    prediction: Prediction, observed: History, capabilities: Capabilities
) -> tuple[History, tuple[Difference, ...]]:
    """The allowed history that the subject came closest to, and the differences that remain."""
    candidates = []
    for predicted in prediction.histories:
        found = tuple(_differences(predicted, observed, capabilities))
        if not found:
            return predicted, ()
        candidates.append((predicted, found))
    return min(candidates, key=lambda candidate: (-candidate[1][0].step, len(candidate[1])))


def coverage(
    predicted: History, observed: History, capabilities: Capabilities
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Which fields were compared at least once, and for each that was not, why."""
    compared: list[str] = ["running"]
    skipped: dict[str, str] = {}
    steps = min(len(predicted.observations), len(observed.observations))
    expected, seen = _shown(predicted.observations[:steps]), _shown(observed.observations[:steps])
    for name in COMPARED:
        if name not in capabilities.observables:
            skipped[name] = "the subject does not show it"
        elif name not in expected:
            skipped[name] = "the model predicts none"
        elif name not in seen:
            skipped[name] = "the subject showed none in this scenario"
        else:
            compared.append(name)
    return tuple(compared), skipped


def _shown(observations: Sequence[Observation]) -> set[str]:
    """The fields that some observation has."""
    return {name for each in observations for name in COMPARED if getattr(each, name) is not None}


def missing(predicted: History, observed: History, capabilities: Capabilities) -> tuple[tuple[int, str], ...]:
    """(step, field) of what a running subject claims to show, and the model predicts, but was not captured.

    What is asked of a kubelet with thrift is missing only where no step of the history has it.
    """
    sparse = {name for name in THRIFTY if any(getattr(seen, name) is not None for seen in observed.observations)}
    due = [name for name in COMPARED if name in capabilities.observables and name != "refusal" and name not in sparse]
    return tuple(
        (step, name)
        for step, (expected, seen) in enumerate(zip(predicted.observations, observed.observations, strict=False))
        if expected.running and seen.running and step >= observed.unseen
        for name in due
        if getattr(seen, name) is None and getattr(expected, name) is not None
    )


def _differences(predicted: History, observed: History, capabilities: Capabilities) -> Iterator[Difference]:
    names = [name for name in COMPARED if name in capabilities.observables]
    for step, (expected, seen) in enumerate(zip(predicted.observations, observed.observations, strict=False)):
        yield from _observation(step, expected, seen, names)
    wanted, got = len(predicted.observations), len(observed.observations)
    if got > wanted or (got < wanted and observed.complete):
        yield Difference(min(wanted, got), "observations", wanted, got)


def _observation(step: int, expected: Observation, seen: Observation, names: list[str]) -> Iterator[Difference]:
    if expected.running != seen.running:
        yield Difference(step, "running", _life(expected), _life(seen))
        return
    for name in names:
        left, right = getattr(expected, name), getattr(seen, name)
        if left is not None and right is not None and left != right:
            yield from _field(step, name, left, right)


def _life(observation: Observation) -> str:
    if observation.running:
        return "runs"
    return f"refuses to start: {observation.refusal}" if observation.refusal else "does not run"


def _field(step: int, name: str, expected: object, seen: object) -> Iterator[Difference]:
    if name == "refusal":
        if str(expected) not in str(seen):
            yield Difference(step, name, expected, seen)
    elif name == "state_file":
        if bool(expected) != bool(seen):
            yield Difference(step, name, *("a file" if text else "no file" for text in (expected, seen)))
    elif name == "counters" and isinstance(expected, Mapping) and isinstance(seen, Mapping):
        # A series with labels that was never touched is left out of the exposition, and is 0.
        yield from _walk(step, name, expected, {key: seen.get(key, 0) for key in expected if key in seen or "{" in key})
    elif name == "hints" and expected != seen and isinstance(expected, tuple) and isinstance(seen, tuple):
        yield from _walk(step, name, _numbered(expected), _numbered(seen))
    else:
        yield from _walk(step, name, expected, seen)


def _numbered(hints: tuple[Hinted, ...]) -> dict[str, Hinted]:
    """By number and by what was asked for: `2.a/c`, or `2.a` for a pod as a whole."""
    return {f"{n}.{each.pod}" + (f"/{each.container}" if each.container else ""): each for n, each in enumerate(hints)}


def _walk(step: int, path: str, expected: object, seen: object) -> Iterator[Difference]:
    """Places below `path` that differ; equal parts are passed over without a look inside."""
    if expected == seen:
        return
    left, right = _parts(expected), _parts(seen)
    if isinstance(expected, PodVerdict) and isinstance(seen, PodVerdict) and expected.admitted != seen.admitted:
        left = None  # admitted here, rejected there: one difference, not three
    if left is None or right is None:
        yield Difference(step, path, expected, seen)
        return
    for key in sorted(left.keys() | right.keys()):
        yield from _walk(step, f"{path}.{key}", left.get(key, ABSENT), right.get(key, ABSENT))


def _parts(value: object) -> Mapping[Any, object] | None:
    """The named parts of a mapping or dataclass; None for a leaf, such as a container's blocks.

    The memory types of a node stand beside its other parts, so that a path reads `machine.0.hugepages-1Gi.free`.
    """
    if isinstance(value, Mapping):
        return value
    if isinstance(value, NodeState):
        return {"number_of_assignments": value.number_of_assignments, "cells": value.cells, **value.memory}
    return parts_of(value)

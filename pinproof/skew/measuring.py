"""Which release starts on which file, and what becomes of a running node: measured on subjects, not taken from expectations.

A *cell* is one writer and one reader. It says what became of each scenario: `same`, or what else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from pinproof.errors import SubjectError
from pinproof.history import History, Observation
from pinproof.running.releases import minor_number
from pinproof.scenario.steps import Restart, Scenario, StateText
from pinproof.skew.golden import Golden, Writer, golden, recorded, scenario_of, writers_of
from pinproof.subjects.protocol import Subject

SAME = "same"
NO_LONGER_ADMITTED = "a pod is rejected"
ELSEWHERE = "other assignments"

REFUSALS = {
    "checkpoint is corrupted": "corrupted",
    "cannot unmarshal": "not readable",
    "the expected machine state is different": "other books",
    "differs from state checkpoint policy": "other policy",
}
"""Part of a refusal → the word for it in the tables."""

FURTHEST = 2
"""Minors between the two releases of a running node."""

Cell = Mapping[str, str]
"""Scenario → what became of it."""

Open = Callable[[str], Subject]
"""Release → subject."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything, by (writer, reader)."""

    readers: tuple[Writer, ...]
    memory: Mapping[tuple[Writer, Writer], Cell]
    cpu: Mapping[tuple[Writer, Writer], Cell]
    running: Mapping[tuple[Writer, Writer], Cell]


def measure(releases: Sequence[str], open_: Open, tell: Callable[[str], None]) -> Measured:
    """Every golden file on every release, and every running node on its neighbours.

    Raises:
        SubjectError: a release cannot be had, or was not seen to the end.
    """
    readers = tuple(reader for release in releases for reader in writers_of(release))
    memory: dict[tuple[Writer, Writer], Cell] = {}
    cpu: dict[tuple[Writer, Writer], Cell] = {}
    running: dict[tuple[Writer, Writer], Cell] = {}
    for release in releases:
        with closing(open_(release)) as subject:
            for reader in writers_of(release):
                tell(f"measuring {reader.name}")
                memory |= _files(subject, reader, _memory_step, _memory_of)
                cpu |= _files(subject, reader, _cpu_step, _cpu_of)
                running |= {(reader, to): _moved(subject, reader, to) for to in neighbours(reader, readers)}
    return Measured(readers, memory, cpu, running)


# --- files


def _files(
    subject: Subject, reader: Writer, step: Callable[[Golden], Restart], seen: Callable[[Golden, Observation], str]
) -> Iterator[tuple[tuple[Writer, Writer], Cell]]:
    """One start a file. All files of a scenario go through one node, which has no pods."""
    cells: dict[Writer, dict[str, str]] = {writer: {} for writer in recorded()}
    for name in Writer(reader.release, managed=True).scenarios():
        files = [golden(writer, name) for writer in cells if name in writer.scenarios()]
        scenario = scenario_of(name, managed=reader.managed)
        history = _run(subject, replace(scenario, steps=tuple(step(file) for file in files)))
        for file, now in zip(files, history.observations[1:], strict=True):
            cells[file.writer][name] = seen(file, now) if now.running else refusal(now)
    return (((writer, reader), cell) for writer, cell in cells.items())


def _memory_step(file: Golden) -> Restart:
    return Restart(state=StateText(file.memory))


def _cpu_step(file: Golden) -> Restart:
    return Restart(state="lose", cpu_state=StateText(file.cpu))


def _memory_of(file: Golden, now: Observation) -> str:
    content = _content(file.memory)
    wanted = {
        uid: {name: sorted(_block(block) for block in blocks) for name, blocks in held.items()}
        for uid, held in content.get("entries", {}).items()
    }
    found = {
        uid: {
            name: sorted((block.affinity, block.type, block.size) for block in blocks) for name, blocks in held.items()
        }
        for uid, held in (now.assignments or {}).items()
    }
    pods = sorted(content.get("podEntries", {}))
    return SAME if (found, sorted(now.pod_assignments or {})) == (wanted, pods) else ELSEWHERE


def _block(block: Mapping[str, Any]) -> tuple[tuple[int, ...], str, int]:
    return tuple(block["numaAffinity"]), block["type"], block["size"]


def _cpu_of(file: Golden, now: Observation) -> str:
    content = _content(file.cpu)
    cpu = now.cpu
    found = (cpu.default, dict(cpu.entries)) if cpu else None
    return SAME if found == (content["defaultCpuSet"], content.get("entries", {})) else ELSEWHERE


def _content(text: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(text)
    inner: Mapping[str, Any] = json.loads(document["data"]) if "data" in document else document
    return inner


# --- running nodes


def neighbours(reader: Writer, readers: Sequence[Writer]) -> list[Writer]:
    """Whom a running node is handed to: releases up to two minors away, and the same with the gate changed."""
    here = minor_number(reader.release)[1]
    return [to for to in readers if to != reader and abs(minor_number(to.release)[1] - here) <= FURTHEST]


def _moved(subject: Subject, before: Writer, after: Writer) -> Cell:
    return {name: _node_moved(subject, before, after, name) for name in before.scenarios()}


def _node_moved(subject: Subject, before: Writer, after: Writer, name: str) -> str:
    """A node with the pods of a scenario, and another kubelet on it."""
    scenario = scenario_of(name, managed=before.managed)
    config = scenario_of(name, managed=after.managed).kubelet
    change = Restart(
        kubelet=config if after.managed != before.managed else None,
        kubernetes=after.release if after.release != before.release else None,
    )
    history = _run(subject, replace(scenario, steps=(*scenario.steps, change)))
    was, now = history.observations[-2:]
    if not now.running:
        return refusal(now)
    admitted = {pod for pod, verdict in (now.pods or {}).items() if verdict.admitted}
    if any(verdict.admitted and pod not in admitted for pod, verdict in (was.pods or {}).items()):
        return NO_LONGER_ADMITTED
    return SAME if _places(was) == _places(now) else ELSEWHERE


def _places(seen: Observation) -> object:
    """What must not change for anybody: blocks, CPUs, books, and what the runtime was told."""
    sums = {
        kind: sum(node.memory[kind].reserved for node in (seen.machine or {}).values())
        for node in (seen.machine or {}).values()
        for kind in node.memory
    }
    return seen.assignments, seen.pod_assignments, seen.cpu, sums, seen.told


def refusal(now: Observation) -> str:
    """The word for a refusal; its text where there is none."""
    text = now.refusal or "the kubelet ended"
    return next((word for part, word in REFUSALS.items() if part in text), text)


def _run(subject: Subject, scenario: Scenario) -> History:
    history = subject.run(scenario)
    if not history.complete or len(history.observations) != len(scenario.steps) + 1:
        raise SubjectError(
            "measure version skew",
            f"{subject.name} did not carry {scenario.name} out: {history.trouble}",
            fault="the subject, or the machine it runs on",
            remedy="try --slow 3",
        )
    return history

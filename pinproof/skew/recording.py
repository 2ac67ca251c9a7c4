"""Golden files are recorded from real kubelets: a scenario is carried out on a fresh node, and its state files are read.

Recording again gives the same bytes: nothing in the files depends on time or chance but the order of a container's blocks,
which is Go's map order. The scenario is carried out again until every list of blocks is sorted by type.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pinproof.errors import SubjectError
from pinproof.skew.golden import CPU, INDEX, MEMORY, Golden, Writer, scenario_of, writers_of
from pinproof.subjects.kubelet.subject import KubeletSubject

TRIES = 64
"""Two lists of two blocks are both sorted one time in four; 64 runs miss that once in a hundred million."""

Open = Callable[[str], KubeletSubject]
"""Release → its kubelet, which boots a fresh node for every scenario."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a writer wrote."""

    writer: Writer
    kubelet: str
    """SHA-256 of the kubelet's binary."""

    files: tuple[Golden, ...]


def record(releases: Sequence[str], open_: Open, tell: Tell) -> Iterator[Recording]:
    """Record every writer of these releases.

    Raises:
        SubjectError: a kubelet cannot be had, or did not carry a scenario out.
    """
    for release in releases:
        with closing(open_(release)) as kubelet:
            for writer in writers_of(release):
                tell(f"recording {writer.name}")
                files = tuple(_recorded(kubelet, writer, name) for name in writer.scenarios())
                yield Recording(writer, kubelet.properties()["kubelet.sha256"], files)


def _recorded(kubelet: KubeletSubject, writer: Writer, name: str) -> Golden:
    scenario = scenario_of(name, managed=writer.managed)
    for _ in range(TRIES):
        history = kubelet.run(scenario)
        last = history.observations[-1]
        if not history.complete or not last.running:
            raise _unusable(writer, name, history.trouble or last.refusal or "the kubelet ended")
        files = kubelet.gather()
        found = Golden(writer, name, files[MEMORY], files[CPU])
        if found.memory != last.state_file:
            raise _unusable(writer, name, "the state file changed after the last step")
        if in_order(found.memory):
            return found
    raise _unusable(writer, name, f"no run of {TRIES} had its blocks in order")


def in_order(text: str) -> bool:
    """Whether every list of blocks in a state file is sorted by type."""
    document = json.loads(text)
    lists = [blocks for held in document.get("entries", {}).values() for blocks in held.values()]
    lists += [entry["memoryBlocks"] for entry in document.get("podEntries", {}).values()]
    inner = json.loads(document["data"]) if "data" in document else {}
    lists += [entry["memoryBlocks"] for entry in inner.get("podEntries", {}).values()]
    return all(blocks == sorted(blocks, key=_type) for blocks in lists)


def _type(block: dict[str, Any]) -> str:
    return str(block["type"])


def _unusable(writer: Writer, scenario: str, why: str) -> SubjectError:
    return SubjectError(
        "record checkpoints",
        f"{writer.name}, {scenario}: {why}",
        fault="the kubelet, or the scenario",
        remedy=f"replay fixtures/checkpoints/scenarios/{scenario}.yaml on it",
    )


def save(recordings: Sequence[Recording], place: Path) -> None:
    """Write the files and the index; writers that were recorded before and are not among these stay."""
    index = place / INDEX
    before = yaml.safe_load(index.read_text(encoding="utf-8"))["writers"] if index.is_file() else []
    entries = {entry["writer"]: entry for entry in before}
    for recording in recordings:
        for file in recording.files:
            target = place / recording.writer.name / file.scenario
            target.mkdir(parents=True, exist_ok=True)
            (target / MEMORY).write_text(file.memory, encoding="utf-8")
            (target / CPU).write_text(file.cpu, encoding="utf-8")
        entry = entry_of(recording)
        known = entries.get(recording.writer.name, {})
        if any(known.get(key) != value for key, value in entry.items() if key != "date"):
            entries[recording.writer.name] = entry
    index.write_text(_index(sorted(entries.values(), key=_age)), encoding="utf-8")


def entry_of(recording: Recording) -> dict[str, Any]:
    """What the index says of a writer; the date stays as long as everything else does."""
    return {
        "writer": recording.writer.name,
        "release": recording.writer.release,
        "kubelet": recording.kubelet,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "files": {file.scenario: {MEMORY: _digest(file.memory), CPU: _digest(file.cpu)} for file in recording.files},
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _age(entry: dict[str, Any]) -> tuple[tuple[int, ...], str]:
    return tuple(int(part) for part in entry["release"].split(".")), entry["writer"]


def _index(entries: list[dict[str, Any]]) -> str:
    about = (
        "# Written by `pinproof checkpoints record`: which kubelet (SHA-256 of its binary) wrote which files, and when.\n"
        "# Scenarios are in scenarios/; `pinproof checkpoints check` records again and compares.\n"
    )
    return about + yaml.safe_dump({"writers": entries}, sort_keys=False, width=120)

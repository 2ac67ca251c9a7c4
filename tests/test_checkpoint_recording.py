"""Golden files: what is committed is whole and as the reference writes it, and recording is what its words say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pinproof.cli.main import main
from pinproof.errors import InputError, SubjectError
from pinproof.history import History, Observation
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.cpu_picker import listed
from pinproof.reference.cpu_text import decode
from pinproof.reference.model import predict
from pinproof.skew import golden, recording
from pinproof.skew.golden import CPU, MEMORY, Golden, Writer

FILES = [pytest.param(file, id=f"{file.writer.name}-{file.scenario}") for file in golden.every()]
SORTED = '{"entries":{"a.1":{"c":[{"type":"hugepages-2Mi"},{"type":"memory"}]}}}'
UNSORTED = '{"entries":{"a.1":{"c":[{"type":"memory"},{"type":"hugepages-2Mi"}]}}}'


@pytest.mark.parametrize("file", FILES)
def test_files_are_as_the_reference_writes_them(file: Golden) -> None:
    """The memory manager's to the byte; of the CPU manager's its content, with a checksum that verifies."""
    scenario = golden.scenario_of(file.scenario, managed=file.writer.managed)
    histories = predict(scenario, behaviour_of(file.writer.release)).histories
    _, books = decode(file.cpu)

    assert file.memory in {history.observations[-1].state_file for history in histories}
    entries = {uid: {name: listed(cpus) for name, cpus in held.items()} for uid, held in books.entries.items()}
    for history in histories:
        cpu = history.observations[-1].cpu
        assert cpu is not None
        assert (cpu.default, list(cpu.entries.values())) == (listed(books.default), list(entries.values()))


def test_index_is_of_the_files() -> None:
    """Every file is in it with its digest, and there are no others."""
    document = yaml.safe_load((golden.folder() / golden.INDEX).read_text(encoding="utf-8"))
    said = {
        f"{entry['writer']}/{scenario}/{name}": digest
        for entry in document["writers"]
        for scenario, files in entry["files"].items()
        for name, digest in files.items()
    }
    found = {
        str(file.relative_to(golden.folder())): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in golden.folder().glob("*/*/*_state")
    }

    assert said == found
    assert {entry["release"] for entry in document["writers"]} == {writer.release for writer in golden.recorded()}


def test_formats_are_three() -> None:
    """Releases up to 1.36 without the gate write the same bytes, and so does 1.37 with the gate and without."""
    texts: dict[str, list[str]] = {}
    for writer in golden.recorded():
        texts.setdefault(golden.golden(writer, "single-node").memory, []).append(writer.name)

    managed = "PodLevelResourceManagers"
    plain = ["1.30.14", "1.31.0", "1.32.2", "1.33.13", "1.34.4", "1.35.4", "1.36.3"]
    assert [plain, [f"1.36.3+{managed}"], ["1.37.1", f"1.37.1+{managed}"]] == list(texts.values())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"policyName":"static","defaultCpuSet":"0-15","checksum":1}',
        '{"policyName":"none","defaultCpuSet":"","checksum":1353318690,"data":"{}","dataChecksum":1}',
        '{"policyName":"none","defaultCpuSet":""}',
    ],
)
def test_cpu_files_that_nobody_wrote_are_not_modelled(text: str) -> None:
    """They are refused instead of being predicted wrongly."""
    with pytest.raises(InputError, match=r"restart\.cpuState: only a file that a kubelet wrote"):
        decode(text)


def test_blocks_in_order() -> None:
    """Of containers, of pods, and of pods inside the text of a newer file."""
    inner = '{"data":"{\\"podEntries\\":{\\"a.1\\":{\\"memoryBlocks\\":[{\\"type\\":\\"memory\\"},{\\"type\\":\\"h\\"}]}}}"}'

    assert [True, False, False] == [recording.in_order(text) for text in (SORTED, UNSORTED, inner)]


class Kubelet:
    """Stands for a kubelet that writes these state files, one a run."""

    def __init__(self, *texts: str, running: bool = True) -> None:
        self.texts, self.running, self.runs, self.closed = texts, running, 0, False

    def run(self, scenario: object) -> History:
        """The next file."""
        del scenario
        text = self.texts[min(self.runs, len(self.texts) - 1)]
        self.runs += 1
        return History("k", (Observation(running=self.running, refusal="no", state_file=text),))

    def gather(self) -> Mapping[str, str]:
        """As it lies there."""
        return {MEMORY: self.texts[min(self.runs, len(self.texts)) - 1], CPU: "{}"}

    def properties(self) -> Mapping[str, str]:
        """What the index wants to know."""
        return {"kubelet.sha256": "d1"}

    def close(self) -> None:
        """Take note."""
        self.closed = True


def recorded(kubelet: Any) -> list[recording.Recording]:
    """Everything of release 1.30.14."""
    return list(recording.record(["1.30.14"], lambda release: kubelet, lambda text: None))


def test_a_scenario_is_run_until_its_blocks_are_in_order() -> None:
    """And the kubelet is closed."""
    kubelet = Kubelet(UNSORTED, UNSORTED, SORTED)
    (found,) = recorded(kubelet)

    assert {SORTED} == {file.memory for file in found.files}
    assert (2 + 7, True) == (kubelet.runs, kubelet.closed)


@pytest.mark.parametrize(
    ("kubelet", "message"),
    [
        (Kubelet(UNSORTED), "no run of 64 had its blocks in order"),
        (Kubelet(SORTED, running=False), "1.30.14, group: no"),
    ],
)
def test_what_cannot_be_recorded_is_told(kubelet: Kubelet, message: str) -> None:
    """With the writer and the scenario; the kubelet is closed."""
    with pytest.raises(SubjectError, match=message):
        recorded(kubelet)

    assert kubelet.closed


def test_date_stays_as_long_as_the_files_do(tmp_path: Path) -> None:
    """So that recording again changes no byte; a kubelet that was built otherwise is noted."""
    found = recorded(Kubelet(SORTED))
    recording.save(found, tmp_path)
    index = tmp_path / golden.INDEX
    index.write_text(index.read_text(encoding="utf-8").replace("date: '20", "date: '19"), encoding="utf-8")
    before = index.read_text(encoding="utf-8")
    recording.save(found, tmp_path)

    assert before == index.read_text(encoding="utf-8")
    assert SORTED == (tmp_path / "1.30.14" / "group" / MEMORY).read_text(encoding="utf-8")

    other = [recording.Recording(found[0].writer, "d2", found[0].files)]
    recording.save(other, tmp_path)
    assert before != index.read_text(encoding="utf-8")


def test_missing_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of an empty list."""
    monkeypatch.setattr(golden, "folder", lambda: tmp_path)
    golden.recorded.cache_clear()
    try:
        with pytest.raises(InputError, match="pinproof checkpoints record"):
            golden.recorded()
    finally:
        golden.recorded.cache_clear()
    with pytest.raises(InputError, match=r"1\.99\.0/single-node"):
        golden.golden(Writer("1.99.0"), "single-node")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["record", "--releases", "1.36.3,newest"], "'newest' is not a Kubernetes release"),
        (["table", "--out", "/nowhere/page.md"], "/nowhere/page.md cannot be written"),
        (["record", "--out", "/nowhere/files"], "/nowhere/files cannot be written"),
        (["keep"], "invalid choice: 'keep'"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is built or booted."""
    assert 2 == main(["checkpoints", *arguments])
    assert message in capsys.readouterr().err

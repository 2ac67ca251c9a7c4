"""In real virtual machines, which takes minutes by emulation: what is seen, and that nothing is left however a run ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pinproof.running.examine import Proof, examine
from pinproof.running.steps import Planned, planned
from pinproof.scenario.steps import Scenario, Step
from pinproof.scenario.topologies import machine
from pinproof.subjects.registry import open_subject
from pinproof.subjects.vm.subject import VmSubject
from pinproof.suite import admit, guaranteed, restart, static
from pinproof.vm.folders import sweep
from pinproof.vm.guest import BootError
from pinproof.waiting import looks

pytestmark = pytest.mark.vm

SPEC = "vm:1.36.3"
MACHINE = machine("small_two")
TWO = tuple(admit(guaranteed(name, memory="256Mi")) for name in "ab")
MINUTES = 15 * 60

RUN = """
from pinproof.subjects.registry import open_subject
from tests.test_vm_live import SPEC, TWO, scenario
subject = open_subject(SPEC)
subject.run(scenario(*TWO))
"""


def scenario(*steps: Step | Planned) -> Scenario:
    return Scenario("live", MACHINE, static(reserved="64Mi")(MACHINE), planned(steps, MACHINE))


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VmSubject]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened = open_subject(SPEC)
    assert isinstance(opened, VmSubject)
    yield opened
    opened.close()


def processes(place: Path) -> list[str]:
    """Those that were started with something in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        if str(place) in words and int(entry.name) != os.getpid():
            found.append(words[:200])
    return found


def until(reached: Callable[[], bool], *, seconds: float) -> bool:
    return any(reached() for _ in looks(seconds))


def test_memory_lies_where_the_reference_says_and_nothing_is_left(subject: VmSubject, tmp_path: Path) -> None:
    """Two pods on two nodes, before and after a loss of power; the kubelet, the runtime and the kernel agree."""
    proof = examine(subject, scenario(*TWO, restart(signal="POWER")))
    subject.close()

    assert not proof.judgement.findings
    assert not proof.judgement.trouble
    for seen in proof.observed.observations[2:]:
        assert seen.pages is not None
        assert [(0,), (1,)] == [seen.pages[pod]["c"].nodes for pod in "ab"]
    assert not processes(tmp_path)
    assert not list(tmp_path.glob("pinproof-vm-*"))


def books(proof: Proof) -> list[tuple[object, ...]]:
    """After each step the state file, which has the pods' UIDs, where memory lies, and what the kernel says."""
    return [
        (seen.state_file, {pod: each["c"].nodes for pod, each in (seen.pages or {}).items()}, seen.kernel)
        for seen in proof.observed.observations
    ]


def test_the_next_scenario_finds_nothing_of_the_one_before(subject: VmSubject) -> None:
    """It has the same machine, and its books, pages and UIDs are those of the first scenario of all."""
    first = examine(subject, scenario(*TWO))
    machine_of_both = subject._node
    second = examine(subject, scenario(*TWO))

    assert machine_of_both is subject._node
    assert not second.judgement.findings
    assert books(first) == books(second)


@pytest.mark.parametrize("part", ["kernel", "first"])
def test_what_does_not_boot_is_one_message_and_leaves_nothing(
    subject: VmSubject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """A file that is no kernel, and a first file system without anything: the emulator's words, or the kernel's."""
    bad = tmp_path / part
    bad.write_bytes(b"none" * 4096 if part == "kernel" else b"")
    image = subject._means.image
    broken = replace(image, kernel=bad, key="k") if part == "kernel" else replace(image, first=bad, key="f")
    monkeypatch.setattr(subject, "_means", replace(subject._means, image=broken))

    words = {"kernel": "linux kernel too old", "first": "Kernel panic - not syncing: VFS: Unable to mount root fs"}
    with pytest.raises(BootError, match=words[part]):
        subject.run(scenario(*TWO))
    assert ["console.txt"] == list(subject.gather())
    assert not processes(tmp_path)
    assert not list(tmp_path.glob("pinproof-vm-*"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_a_run_that_was_ended(tmp_path: Path, number: signal.Signals) -> None:
    """What kill -9 leaves is a folder, which the next run removes; the machine ends by itself."""
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", RUN], env=env, cwd=Path(__file__).parents[1]) as running:
        assert until(lambda: any("qemu" in words for words in processes(tmp_path)), seconds=MINUTES)
        running.send_signal(number)
    assert until(lambda: not processes(tmp_path), seconds=30)
    if number == signal.SIGKILL:
        assert _swept(tmp_path)
    assert not list(tmp_path.glob("pinproof-vm-*"))


def _swept(place: Path) -> list[Path]:
    """What the next run removes there."""
    import tempfile

    before, tempfile.tempdir = tempfile.tempdir, str(place)
    try:
        return sweep()
    finally:
        tempfile.tempdir = before

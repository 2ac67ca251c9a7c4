"""State files on a disk that fails: full, read-only, or not to be read."""

from __future__ import annotations

from typing import Literal

import pytest

from pinproof.suite import Prove, admit, besteffort, block, case, disk, gib, guaranteed, remove, restart, static

STATIC, ALIGNED = static(topology="best-effort"), static(topology="restricted", cpu="static")
FIRST = admit(guaranteed("a", memory="4Gi", cpu="2"))
SECOND = admit(guaranteed("b", memory="8Gi", cpu="2"))
ANY = admit(besteffort("any"))
Failing = Literal["full", "read-only"]
WORDS: dict[Failing, str] = {"full": "no space left on device", "read-only": "read-only file system"}


@case("MM-DISK-001", machines="two_even", kubelet=STATIC)
def test_file_that_cannot_be_read(prove: Prove) -> None:
    """The start ends and names the file; once it can be read all is as before."""
    seen = prove(FIRST, disk("unreadable", of="memory"), restart(), disk("works"), restart())

    assert "open /var/lib/kubelet/memory_manager_state: permission denied" in seen.at(3).refusal
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert gib(4) == seen.reserved(0)


@case("MM-DISK-001", machines="two_even", kubelet=ALIGNED)
def test_cpu_file_that_cannot_be_read(prove: Prove) -> None:
    """The same of the CPU manager's file."""
    seen = prove(FIRST, disk("unreadable", of="cpu"), restart(), disk("works"), restart())

    assert "open /var/lib/kubelet/cpu_manager_state: permission denied" in seen.at(3).refusal
    assert "1-2" == seen.exclusive_cpus("a")


@case("MM-DISK-001", machines="two_even", kubelet=STATIC)
def test_running_kubelet_does_not_read(prove: Prove) -> None:
    """A kubelet that runs reads its file no more, and goes on admitting."""
    seen = prove(FIRST, disk("unreadable", of="memory"), SECOND)

    assert [block(1, memory="8Gi")] == seen.blocks("b")


@pytest.mark.parametrize("state", ["full", "read-only"])
@case("MM-DISK-002", machines="two_even", kubelet=STATIC)
def test_file_that_cannot_be_made(prove: Prove, state: Failing) -> None:
    """The file was lost and cannot be made: the kubelet does not run without one."""
    seen = prove(FIRST, disk(state, of="memory"), restart(state="lose"), disk("works"), restart())

    assert f"/var/lib/kubelet/memory_manager_state: {WORDS[state]}" in seen.at(3).refusal
    assert [block(0, memory="4Gi")] == seen.blocks("a")


@pytest.mark.parametrize("state", ["full", "read-only"])
@case("MM-DISK-003", machines="two_even", kubelet=STATIC)
def test_start_on_a_file_that_cannot_be_written(prove: Prove, state: Failing) -> None:
    """A start that has nothing to write does not notice."""
    seen = prove(FIRST, disk(state), restart())

    assert seen.running
    assert gib(4) == seen.pod_resources("a")["c"].memory[0].size


@pytest.mark.parametrize("state", ["full", "read-only"])
@case("MM-DISK-003", machines="two_even", kubelet=STATIC)
def test_admission_whose_writes_fail(prove: Prove, state: Failing) -> None:
    """The pod is admitted and pinned; the file does not know it, and a restart admits it anew."""
    seen = prove(FIRST, disk(state), SECOND, disk("works"), restart())

    assert "1" == seen.mems("b", after=3)
    assert gib(8) == seen.pod_resources("b", after=3)["c"].memory[0].size
    assert [block(0, memory="4Gi")] == seen.blocks("a")
    assert [block(1, memory="8Gi")] == seen.blocks("b")


@case("MM-DISK-003", machines="two_even", kubelet=STATIC)
def test_removal_whose_writes_fail(prove: Prove) -> None:
    """Memory was given back, and the file says that it is held: so it is after a restart, until the next admission."""
    seen = prove(FIRST, disk("full"), remove("a"), ANY, disk("works"), restart(), admit(besteffort("more")))

    assert gib(4) == seen.reserved(0, after=6)
    assert 0 == seen.reserved(0)
    assert {} == seen.assigned()


@case("MM-DISK-003", machines="two_even", kubelet=STATIC)
def test_writes_that_fail_are_logged(prove: Prove) -> None:
    """Whoever reads the log learns that the state was not stored, and why."""
    prove(FIRST, disk("full"), SECOND)

    said = prove.words(lambda words: any("no space left" in line.text for line in words.errors()))
    assert any("memory_manager_state: no space left on device" in line.text for line in said.errors())


@case("MM-DISK-004", machines="two_even", kubelet=STATIC)
def test_next_write_has_everything(prove: Prove) -> None:
    """Once the disk works, the next admission writes what the failed ones could not."""
    seen = prove(disk("full"), FIRST, disk("works"), SECOND, restart())

    assert [block(0, memory="4Gi")] == seen.blocks("a", after=4)
    assert [block(1, memory="8Gi")] == seen.blocks("b", after=4)
    assert [gib(4), gib(8)] == [seen.reserved(node) for node in (0, 1)]

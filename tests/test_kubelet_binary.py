"""A file given as the kubelet: whatever is wrong with it is one message that says so, with exit code 12."""

from __future__ import annotations

import platform
import struct
from pathlib import Path

import pytest

from pinproof.errors import InputError, SubjectError
from pinproof.subjects.kubelet.binary import inspect
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.registry import open_subject

MARK = b"k8s.io/kubernetes/cmd/kubelet"
MACHINES = {"x86_64": 62, "aarch64": 183}
HANGS = {"x86_64": b"\xb8\x22\x00\x00\x00\x0f\x05\xeb\xf7", "aarch64": b"\x00\x00\x00\x14"}
CRASHES = {"x86_64": b"\x0f\x0b", "aarch64": b"\x00\x00\x00\x00"}
HERE = platform.machine()


def program(path: Path, code: bytes, *, machine: str = HERE, mark: bytes = MARK) -> Path:
    """The smallest Linux program that does what the machine code says."""
    size = 64 + 56 + len(code)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01",
        *(2, MACHINES[machine], 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0),
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size, size, 0x1000)
    path.write_bytes(header + segment + code + mark)
    path.chmod(0o755)
    return path


def complaint(path: Path) -> str:
    with pytest.raises(SubjectError) as caught:
        inspect(path, timeouts=Timeouts(0.02))
    assert (12, True) == (caught.value.exit_code, str(path) in caught.value.message)
    return caught.value.message


def test_a_program_for_another_architecture(tmp_path: Path) -> None:
    """It is told from the file's header, before anything is run."""
    other = next(name for name in MACHINES if name != HERE)

    assert f"is built for {other}" in complaint(program(tmp_path / "k", CRASHES[HERE], machine=other))


def test_a_program_that_is_no_kubelet(tmp_path: Path) -> None:
    """Another program is not run at all."""
    assert "not a kubelet" in complaint(program(tmp_path / "k", HANGS[HERE], mark=b"something else"))


def test_a_kubelet_that_crashes(tmp_path: Path) -> None:
    """The signal is named."""
    assert "ended with signal SIGILL" in complaint(program(tmp_path / "k", CRASHES[HERE]))


def test_a_kubelet_that_hangs(tmp_path: Path) -> None:
    """The wait has a limit."""
    assert "did not answer --version in 0.4 s" in complaint(program(tmp_path / "k", HANGS[HERE]))


def test_a_kubelet_that_may_not_be_run(tmp_path: Path) -> None:
    """A missing permission is named, not guessed."""
    path = program(tmp_path / "k", HANGS[HERE])
    path.chmod(0o644)

    assert "Permission denied" in complaint(path)


@pytest.mark.parametrize(("text", "words"), [("#!/bin/sh\n", "not a Linux program"), ("", "not a Linux program")])
def test_a_file_that_is_no_program(tmp_path: Path, text: str, words: str) -> None:
    """Scripts and empty files are refused."""
    path = tmp_path / "k"
    path.write_text(text)

    assert words in complaint(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """So is nothing at all."""
    assert "No such file" in complaint(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("kublet:1.36.3", "did you mean 'kubelet'?"),
        ("cloud:me", "cluster:KUBECONFIG"),
        ("cloud:me", "component:VERSION|TREE|BINARY"),
        ("cloud:me", "kind:VERSION[?kubelet=VERSION|TREE|BINARY]"),
        ("cloud:me", "reference[:MINOR]"),
        ("cloud:me", "vm"),
        ("kubelet", "say which kubelet"),
        ("kubelet:/nowhere", "a kubelet binary that exists"),
    ],
)
def test_a_subject_that_cannot_be_understood(spec: str, words: str) -> None:
    """A mistyped subject is an input error that says what there is."""
    with pytest.raises(InputError) as caught:
        open_subject(spec)

    assert words in str(caught.value)


def test_the_reference_is_a_subject() -> None:
    """With and without a minor."""
    assert "1.31.0" == open_subject("reference:1.31").version
    assert "reference:" in open_subject("reference").name

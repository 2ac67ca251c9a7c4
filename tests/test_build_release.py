"""A real build: the default release, changed. Needs Go (or its wheel) and the module proxy; minutes the first time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pinproof.build import Edit, kubelet
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.errors import SubjectError

MANAGER = "pkg/kubelet/cm/memorymanager/memory_manager.go"
SAID = '"Starting memorymanager"'


@pytest.fixture(scope="module")
def plain() -> Path:
    """The unchanged kubelet."""
    return kubelet(DEFAULT_RELEASE)


def version(binary: Path) -> str:
    return subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout


def test_release_knows_its_version(plain: Path) -> None:
    """What a kubelet calls itself is the release."""
    assert version(plain) == f"Kubernetes v{DEFAULT_RELEASE}\n"


@pytest.mark.usefixtures("plain")
def test_changed_release_is_told_from_the_plain_one(tmp_path: Path) -> None:
    """An edit is in the binary, and the binary says that it was changed."""
    changed = kubelet(
        DEFAULT_RELEASE,
        edits=[Edit(MANAGER, SAID, '"Starting changed memorymanager"')],
        output=tmp_path / "kubelet",
    )

    assert version(changed).startswith(f"Kubernetes v{DEFAULT_RELEASE}+patched.")
    assert b"Starting changed memorymanager" in changed.read_bytes()


@pytest.mark.usefixtures("plain")
def test_change_that_does_not_compile() -> None:
    """The compiler's lines are shown and the change is blamed."""
    with pytest.raises(SubjectError, match=r"(?s)the patch does not compile.*memory_manager\.go:\d+:\d+: .*boom"):
        kubelet(DEFAULT_RELEASE, edits=[Edit(MANAGER, SAID, "boom")])

"""The Go code of the driver: formatted, vetted, tested, and built."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pinproof.build import golang, runtime, toolchain
from pinproof.build.golang import Go
from pinproof.build.runtimes import driver_directory

DRIVER = driver_directory()


@pytest.fixture(scope="module")
def go() -> Go:
    return toolchain.find(golang.directive((DRIVER / "go.mod").read_text()))


@pytest.mark.parametrize("command", ["vet", "test"])
def test_driver_passes(go: Go, command: str) -> None:
    """`go vet` and the driver's own tests find nothing."""
    finished = golang.run(go, command, "./...", cwd=DRIVER, env={"CGO_ENABLED": "0", "GOWORK": "off"})

    assert finished.code == 0, finished.output + finished.messages


def test_driver_is_formatted(go: Go) -> None:
    """`gofmt` would change nothing."""
    gofmt = Path(golang.run(go, "env", "GOROOT", cwd=DRIVER).output.strip()) / "bin" / "gofmt"

    done = subprocess.run([gofmt, "-l", "."], cwd=DRIVER, capture_output=True, text=True, check=True)

    assert done.stdout == ""


def test_runtime_is_built_once() -> None:
    """The same sources give the same file."""
    built = runtime()

    assert os.access(built, os.X_OK)
    assert built == runtime()

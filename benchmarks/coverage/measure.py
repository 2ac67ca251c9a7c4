"""Runs the suites, one area at a time, and drawn scenarios on a driver that counts what it reaches."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.coverage.profile import Block, Reached, parse
from pinproof import build
from pinproof.build import golang, toolchain
from pinproof.errors import SubjectError
from pinproof.running.places import shipped

ROOT = "k8s.io/kubernetes/pkg/kubelet/cm"
PACKAGES = (f"{ROOT}/memorymanager/...", f"{ROOT}/topologymanager/...", "k8s.io/kubernetes/cmd/pinproof-component")
FLAGS = ("-cover", f"-coverpkg={','.join(PACKAGES)}")
"""The driver's own package is among them because it is what writes the counts when it ends."""

DRAWN = "drawn"
"""What the scenarios that nobody wrote are called among the areas of the suites."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was reached."""

    release: str
    scenarios: int
    """Drawn ones."""

    every: frozenset[Block]
    reached: dict[str, Reached]
    """Area of the suites, or `DRAWN` → blocks."""

    @property
    def together(self) -> Reached:
        """By whatever."""
        return frozenset().union(*self.reached.values())


def measure(release: str, *, scenarios: int, seed: int, folder: Path) -> Measured:
    """Build the driver and run everything; what it counts is left in `folder`, and not counted again if it is there.

    Raises:
        SubjectError: the driver cannot be built, or counts nothing.
    """
    driver = build.component(release, go_flags=FLAGS)
    reached: dict[str, Reached] = {}
    every: frozenset[Block] = frozenset()
    for area, command in _runs(driver, scenarios, seed, folder):
        counted = folder / area
        if not counted.exists():
            _count(area, command, counted)
        blocks, ran = parse(_profile(counted, folder / f"{area}.txt"), root=ROOT)
        every |= _upstream(blocks)
        reached[area] = _upstream(ran)
    return Measured(release, scenarios, every, reached)


def _count(area: str, command: list[str], counted: Path) -> None:
    counted.mkdir(parents=True)
    environment = os.environ | {"GOCOVERDIR": str(counted)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if not any(counted.iterdir()):
        raise SubjectError(
            f"measure {area}",
            f"nothing was counted; the run ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}",
            fault="the run, or a driver that was not built with -cover",
            remedy=f"try it by hand: {' '.join(command)}",
        )


def _upstream(blocks: frozenset[Block]) -> frozenset[Block]:
    """Those that are not in the driver's own files, which lie among upstream's."""
    return frozenset(block for block in blocks if not Path(block.file).name.startswith("pinproof"))


def _runs(driver: Path, scenarios: int, seed: int, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Area → the command that runs it."""
    subject = f"--subject=component:{driver}"
    for area in sorted(path.name for path in shipped("suites").iterdir() if any(path.glob("test_*.py"))):
        place, out = shipped("suites") / area, folder / "reports" / area
        yield area, [sys.executable, "-m", "pinproof", "run", str(place), subject, f"--out={out}", "-q"]
    drawing = [sys.executable, "-m", "benchmarks.coverage.drawing", subject, f"--scenarios={scenarios}"]
    yield DRAWN, [*drawing, f"--seed={seed}"]


def _profile(counted: Path, file: Path) -> str:
    command = ("tool", "covdata", "textfmt", f"-i={counted}", f"-o={file}")
    finished = golang.run(toolchain.find(), *command, cwd=counted)
    if finished.code:
        raise SubjectError("read the counts", finished.messages, fault="the Go toolchain", remedy="go tool covdata")
    return file.read_text(encoding="utf-8")

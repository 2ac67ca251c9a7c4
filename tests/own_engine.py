"""A container engine that is nobody else's, for tests that compare a machine before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pinproof.build import cache, runtimes
from pinproof.engine import own, programs, supervisor, traces


def isolate(place: Path, patch: pytest.MonkeyPatch, *built: str) -> own.Place:
    """Have a cache of one's own in a folder, so that the engine is too, with what the real one has `built`."""
    if hindrance := own.hindrance():
        pytest.fail(f"an engine cannot be started here: {hindrance}")
    programs.programs()
    runtimes.command(runtimes.Command.OCI_RUNTIME)
    real = cache.directory()
    (place / "pinproof").mkdir()
    for name in ("engine-programs", "runtime", "go", *built):
        if (real / name).exists():
            (place / "pinproof" / name).symlink_to(real / name)
    patch.setenv("XDG_CACHE_HOME", str(place))
    patch.setenv("PINPROOF_ENGINE", "own")
    return own.place()


@dataclass(frozen=True)
class Machine:
    """What an engine could leave behind."""

    processes: list[str]
    mounts: list[str]
    interfaces: list[str]
    groups: list[str]
    directories: list[str]
    made: list[str]
    forwarding: str


def machine(home: own.Place) -> Machine:
    """What this engine could leave behind; what others do meanwhile, with engines of their own, is not looked at."""
    alone = [path for path in Path("/run").glob("pinproof-*") if path != home.run] == []
    return Machine(
        processes=sorted(_processes(home)),
        mounts=[
            line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(home.data.parent) in line
        ],
        interfaces=sorted(path.name for path in traces.INTERFACES.iterdir() if _is_of(path, home.bridge)),
        groups=sorted(str(path) for path in traces._groups(home.name)),
        directories=[str(path) for path in (home.run, home.data) if path.exists()],
        made=[str(path) for path in supervisor.MADE if alone and path.exists()],
        forwarding=Path("/proc/sys/net/ipv4/ip_forward").read_text(),
    )


def _processes(home: own.Place) -> Iterator[str]:
    """Those in its control groups, and those of its programs that were given its cache."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "comm").read_text().strip()
            grouped = f"/{home.name}" in (folder / "cgroup").read_text()
            given = str(home.data.parent.parent).encode() in (folder / "environ").read_bytes()
        except OSError:
            continue
        if grouped or (given and name in ("dockerd", "containerd", "containerd-shim", "docker-proxy", "sh", "unshare")):
            yield name


def _is_of(interface: Path, bridge: str) -> bool:
    return interface.name == bridge or (interface / "master").resolve().name == bridge

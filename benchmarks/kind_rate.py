"""What a kind cluster takes: to be made, for a scenario, for a restart, of memory.

    python -m benchmarks.kind_rate --seconds 60

A cluster of a control plane and four workers, first as `kind create cluster --wait` makes it of the same image, then as pinproof
does, up to the first scenario. All are deleted again.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import yaml

from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import four_admissions, two_admissions
from benchmarks.side_by_side import Work, rate
from pinproof.build import node_image
from pinproof.build.kind_command import kind
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.engine import Engine, running
from pinproof.errors import SubjectError
from pinproof.running.examine import examine
from pinproof.scenario.steps import Restart, Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.protocol import Subject
from pinproof.subjects.registry import open_subject
from pinproof.suite import admit, guaranteed, static

WORKERS = 4
BARE = "pinproof-bare"
CREATE_SECONDS = 600
RESTARTS = 5
GIB = 1 << 30

_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": GIB}


def measure(options: Options) -> Iterable[Figure]:
    """All on one engine, which is found or started once."""
    with running() as engine:
        image = node_image.build(DEFAULT_RELEASE, engine=engine)
        spec = f"kind:{DEFAULT_RELEASE}?workers={WORKERS}"
        bare = _bare(engine, image)
        with closing(open_subject(spec)) as subject:
            began = time.perf_counter()
            examine(subject, next(four_admissions()))
            ready = time.perf_counter() - began
            yield Figure(f"{WORKERS} workers and a scenario, by kind create", ready / bare, "times", 1.3)
            restarts = _restarts(subject)
            yield Figure("a scenario with a restart, worker kept, median", statistics.median(restarts), "s", 4)
            yield Figure("control plane and workers", _memory(engine) / GIB, "GiB", 2.5)
        for words, scenarios in (("four", four_admissions), ("two", two_admissions)):
            done = rate(Work(spec, scenarios, options.seconds, cold=False, kubelets=WORKERS))
            yield Figure(f"{WORKERS} workers, {words} admissions each", done, "scenarios/s", 1)


def _bare(engine: Engine, image: str) -> float:
    """Seconds that kind takes for a cluster of as many nodes, until they are ready."""
    nodes = [{"role": "control-plane", "image": image}, *[{"role": "worker", "image": image}] * WORKERS]
    patch = yaml.safe_dump({"kind": "KubeletConfiguration", "failCgroupV1": False})
    plan = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"disableDefaultCNI": True},
        "nodes": nodes,
        "kubeadmConfigPatches": [patch],
    }
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "cluster.yaml"
        file.write_text(yaml.safe_dump(plan))
        named = ["--name", BARE, "--kubeconfig", str(Path(place) / "kubeconfig")]
        try:
            began = time.perf_counter()
            _kind(engine, "create", "cluster", *named, "--config", str(file), "--wait", f"{CREATE_SECONDS}s")
            return time.perf_counter() - began
        finally:
            _kind(engine, "delete", "cluster", *named)


def _kind(engine: Engine, *arguments: str) -> None:
    done = subprocess.run(
        [kind(), *arguments],
        env=engine.environment(),
        capture_output=True,
        text=True,
        timeout=CREATE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise SubjectError("measure kind", done.stderr[-500:], fault="kind", remedy="see what it says")


def _restarts(subject: Subject) -> list[float]:
    """Seconds of scenarios with an admission and a restart of the kubelet, one after the other on one worker."""
    two = machine("two_even")
    config = static(topology="restricted")(two)
    spent = []
    for number in range(RESTARTS + 1):
        began = time.perf_counter()
        examine(subject, Scenario(f"restart-{number}", two, config, (admit(guaranteed("a", memory="4Gi")), Restart())))
        spent.append(time.perf_counter() - began)
    return spent[1:]  # the first makes the worker ready for this configuration


def _memory(engine: Engine) -> float:
    """Bytes that all containers of the engine have."""
    said = subprocess.run(
        [engine.name, "stats", "--no-stream", "--format", "{{.MemUsage}}"],
        env=engine.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"^([\d.]+)([A-Za-z]+)", said, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(run(measure))

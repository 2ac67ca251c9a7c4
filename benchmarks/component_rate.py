"""The component subject against its bare driver, and the driver against the managers alone, on one core.

A scenario is four admissions and a restart on four nodes. The driver replays them from a file by itself; the subject
sends the same ones, with hints and state files, and makes histories of the answers; what the driver adds to the managers is
measured without these two, which are extras of the protocol. Seconds are those of the processor, driver and subject together,
so that what else the machine does is not measured.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import admissions_and_restart
from pinproof import build
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.scenario.steps import Scenario
from pinproof.subjects.component import encode
from pinproof.subjects.component.subject import ComponentSubject

SCENARIOS = 200


def measure(options: Options) -> Iterable[Figure]:
    """The release is the default one, whatever the subject of the other figures."""
    binary = build.component(DEFAULT_RELEASE)
    scenarios = list(islice(admissions_and_restart(), SCENARIOS))
    _, ratio = bare(binary, scenarios, show=())
    alone, _ = bare(binary, scenarios)
    rate = _rate(binary, scenarios, options.seconds / 2)
    yield Figure("component driver, over calling the managers", ratio, "times as long", 1.3)
    yield Figure("component driver, replaying a file", alone, "scenarios/s", 600)
    yield Figure("component subject, histories", rate, "scenarios/s", 300)
    yield Figure("component subject, over its bare driver", alone / rate, "times as long", 2)


def bare(binary: Path, scenarios: Sequence[Scenario], *, show: Sequence[str] = encode.SHOWN) -> tuple[float, float]:
    """Scenarios a second of the driver alone, and how many times as long it takes as calling the managers."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        requests = ({"id": n, **encode.request(each, show=show)} for n, each in enumerate(scenarios))
        file.writelines(json.dumps(request) + "\n" for request in requests)
        file.flush()
        before = children()
        done = subprocess.run([str(binary), "-bench", file.name], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    spent = (children() - before) * found["driver_us"] / (found["driver_us"] + found["direct_us"])
    return found["scenarios"] / spent, found["ratio"]


def _rate(binary: Path, scenarios: Sequence[Scenario], seconds: float) -> float:
    done, own, before = 0, time.process_time(), children()
    end = time.monotonic() + seconds
    with closing(ComponentSubject(binary, version=DEFAULT_RELEASE)) as subject:
        while time.monotonic() < end:
            for scenario in scenarios:
                subject.run(scenario)
            done += len(scenarios)
    return done / (time.process_time() - own + children() - before)


def children() -> float:
    """Seconds of the processor that ended processes have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(run(measure))

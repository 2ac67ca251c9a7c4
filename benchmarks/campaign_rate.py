"""A campaign's work on the component subject: drawn, predicted, run, judged; against the bare driver with the same scenarios.

Seconds are those of the processor, of the worker and its driver together, so that what else the machine does is not
measured: two cores do twice as much as one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from contextlib import closing
from itertools import count, cycle, islice

from benchmarks.component_rate import SCENARIOS, bare, children
from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import admissions_and_restart
from pinproof import build
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.fuzz.draws import RandomDraws
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.scenarios import draw_scenario
from pinproof.fuzz.trial import PHASES, Bench
from pinproof.fuzz.worker import THOROUGH
from pinproof.subjects.component.subject import ComponentSubject

CORES = 2
MADE = 2_000
"""Scenarios of other sizes; nothing is remembered until the first comes again."""


def measure(options: Options) -> Iterable[Figure]:
    """The release is the default one, whatever the subject of the other figures."""
    binary = build.component(DEFAULT_RELEASE)
    subject = ComponentSubject(binary, version=DEFAULT_RELEASE)
    scenarios = list(islice(admissions_and_restart(), MADE))  # a campaign draws them; what these cost is not its work
    replayed, _ = bare(binary, scenarios[:SCENARIOS])
    profile = Profile.of(subject.version, subject.capabilities)
    bench = Bench(subject)
    done, own, before = 0, time.process_time(), children()
    end = time.monotonic() + options.seconds
    with closing(subject):
        for number, scenario in zip(count(), cycle(scenarios)):
            draw_scenario(RandomDraws.of(seed=1, number=number), name="drawn", profile=profile)  # as costly as any
            if bench.examine(scenario, thorough=number % THOROUGH == 0).judgement.outcome != "passed":
                raise AssertionError(f"{scenario.name} did not pass")
            done += 1
            if time.monotonic() >= end:
                break
    spent = (time.process_time() - own + children() - before) / done
    yield Figure("campaign, four admissions and a restart on four nodes", CORES / spent, "scenarios/s", 300)
    yield Figure("campaign on two cores, over its bare driver on one", spent * replayed / CORES, "times as long", 2)
    print(", ".join(f"{phase} {1000 * bench.seconds[phase] / done:.2f} ms" for phase in PHASES), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(run(measure))

"""Restarts a second, predicted and judged: of two kubelets that keep their state, and in one process, each by itself."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import count, cycle, permutations

from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import POLICIES
from benchmarks.side_by_side import Work, rate
from pinproof.build.sources import DEFAULT_RELEASE
from pinproof.permutations import CHANGES, STATES, Trial, trials
from pinproof.running.examine import examine
from pinproof.running.permuting import prediction
from pinproof.running.releases import minor_of
from pinproof.scenario.steps import Restart, Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.registry import open_subject
from pinproof.suite import admit, guaranteed, static

ORDERS = tuple(permutations("abc"))
NIGHTLY = 10_000 / 600
"""Restarts a second that the exhaustive selection needs: 10,000 in ten minutes."""


def measure(options: Options) -> Iterable[Figure]:
    """The component is of the default release, whatever the subject of the other figures."""
    done = rate(Work(options.subject, every_order, options.seconds, cold=False))
    yield Figure("two kubelets, restarts in every order of three pods", done * len(ORDERS), "restarts/s", 1.5)
    yield Figure("component, every restart by itself", in_process(options.seconds), "restarts/s", NIGHTLY)


def every_order() -> Iterator[Scenario]:
    """Three pods and a restart in each of their orders, under one policy after the other. Never ends."""
    two = machine("two_even")
    pods = tuple(admit(guaranteed(name, memory=size)) for name, size in zip("abc", ("6Gi", "6Gi", "3Gi"), strict=True))
    for number, policy in zip(count(), cycle(POLICIES)):
        restarts = tuple(Restart(order=order) for order in ORDERS)
        yield Scenario(f"orders-{number}", two, static(topology=policy)(two), (*pods, *restarts))


def exhaustive() -> Iterator[Trial]:
    """Restarts of four pods after every step, in every order, on every kind of file, after every change. Ends."""
    two = machine("two_even")
    pods = tuple(
        admit(guaranteed(name, memory=size)) for name, size in zip("abcd", ("6Gi", "6Gi", "3Gi", "4Gi"), strict=True)
    )
    scenario = Scenario("exhaustive", two, static(topology="restricted")(two), pods)
    return trials(scenario, prediction(minor_of(DEFAULT_RELEASE)), states=STATES, changes_=CHANGES)


def in_process(seconds: float) -> float:
    """Restarts a second of one process and its driver."""
    done, start = 0, time.perf_counter()
    with closing(open_subject(f"component:{DEFAULT_RELEASE}")) as subject:
        for trial in exhaustive():
            examine(subject, trial.scenario)
            done += 1
            if time.perf_counter() - start > seconds:
                break
    return done / (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(run(measure))

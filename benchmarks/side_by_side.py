"""Several kubelets at a time, each in a process of its own, as pytest-xdist has them: scenarios run, predicted and judged."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier

from pinproof.errors import SubjectError
from pinproof.running.examine import examine
from pinproof.scenario.steps import Scenario
from pinproof.subjects.registry import open_subject

KUBELETS = 2
START_SECONDS = 600.0
"""Until all kubelets have served a first scenario; the first build of a kubelet takes minutes."""


@dataclass(frozen=True, slots=True)
class Work:
    """What each process does."""

    subject: str
    scenarios: Callable[[], Iterator[Scenario]]
    seconds: float
    cold: bool
    """Boot a kubelet for every scenario."""

    kubelets: int = KUBELETS
    """How many at a time."""


def rate(work: Work) -> float:
    """Scenarios a second of all kubelets together; SubjectError if one of them cannot be measured."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(work.kubelets)
    with context.Pool(work.kubelets, _share, (barrier,)) as pool:
        done = pool.map(_measure, [work] * work.kubelets, chunksize=1)
    return sum(done)


_barrier: Barrier | None = None


def _share(barrier: Barrier) -> None:
    global _barrier  # how a pool hands a barrier to its processes
    _barrier = barrier


def _measure(work: Work) -> float:
    """One process: a scenario to warm up, then as many as fit, counted when all have warmed up."""
    with closing(open_subject(work.subject, cold=work.cold)) as subject:
        scenarios = work.scenarios()
        examine(subject, next(scenarios))
        if _barrier:
            _barrier.wait(START_SECONDS)
        done, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < work.seconds:
            outcome = examine(subject, next(scenarios)).judgement.outcome
            if outcome != "passed":
                raise SubjectError("measure", f"a scenario {outcome}", fault="the subject", remedy="run the suites")
            done += 1
    return done / spent

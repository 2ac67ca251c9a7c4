"""What the reference predicts and the judge judges in a second, on one core.

Seconds are those of the processor, so that what else the machine does is not measured.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import admissions_and_restart, four_nodes
from pinproof.judge import judge
from pinproof.reference.behaviour import LATEST, behaviour_of
from pinproof.reference.decisions import Reached
from pinproof.reference.model import predict
from pinproof.scenario.steps import Scenario
from pinproof.subjects.reference import ReferenceSubject

STEPS = 30
BATCH = 20
BEHAVIOUR = behaviour_of(LATEST)


def measure(options: Options) -> Iterable[Figure]:
    """Long scenarios by the step, with and without texts; short ones as a campaign wants them, by the scenario."""
    share = options.seconds / 5
    rate = STEPS * _rate(share, four_nodes(STEPS), lambda scenario: predict(scenario, BEHAVIOUR, texts=False))
    yield Figure("reference, steps on four nodes", rate, "steps/s", 2000)
    rate = STEPS * _rate(share, four_nodes(STEPS), lambda scenario: predict(scenario, BEHAVIOUR))
    yield Figure("reference, with state file texts", rate, "steps/s", 2000)
    short = admissions_and_restart()
    rate = _rate(share, short, lambda scenario: predict(scenario, BEHAVIOUR, texts=False))
    yield Figure("reference, four admissions and a restart", rate, "scenarios/s", 1000)
    rate = _rate(
        share, short, lambda scenario: predict(scenario, BEHAVIOUR, texts=False, hints=True, reached=Reached())
    )
    yield Figure("the same, with hints and decisions", rate, "scenarios/s", 700)
    yield Figure("judge, what was predicted", _judged(share, short), "scenarios/s", 2000)


def _rate(seconds: float, scenarios: Iterator[Scenario], work: Callable[[Scenario], object]) -> float:
    """Scenarios are made outside the time that counts."""
    done, spent = 0, 0.0
    while spent < seconds:
        some = list(islice(scenarios, BATCH))
        start = time.process_time()
        for scenario in some:
            work(scenario)
        spent += time.process_time() - start
        done += BATCH
    return done / spent


def _judged(seconds: float, scenarios: Iterator[Scenario]) -> float:
    """Of two predictions that are the same, one is taken for what was observed."""
    capabilities = ReferenceSubject().capabilities
    some = [(s, predict(s, BEHAVIOUR, hints=True), predict(s, BEHAVIOUR, hints=True)) for s in islice(scenarios, BATCH)]
    done, spent = 0, 0.0
    while spent < seconds:
        start = time.process_time()
        for scenario, prediction, observed in some:
            judge(scenario, prediction, observed.histories[0], capabilities)
        spent += time.process_time() - start
        done += BATCH
    return done / spent


if __name__ == "__main__":
    sys.exit(run(measure))

"""Steps that the reference predicts in a second, on four nodes and one core.

Seconds are those of the processor, so that what else the machine does is not measured.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from itertools import islice

from benchmarks.figures import Figure, Options, run
from benchmarks.scenarios import four_nodes
from pinproof.reference.behaviour import LATEST, behaviour_of
from pinproof.reference.model import predict

STEPS = 30
BATCH = 20


def measure(options: Options) -> Iterable[Figure]:
    """Once as a fuzz run wants it, once with the text of every state file."""
    yield Figure("reference, steps on four nodes", _rate(options.seconds / 2, texts=False), "steps/s", 2000)
    yield Figure("reference, with state file texts", _rate(options.seconds / 2, texts=True), "steps/s", 2000)


def _rate(seconds: float, *, texts: bool) -> float:
    """Scenarios are made outside the time that counts."""
    behaviour, scenarios = behaviour_of(LATEST), four_nodes(STEPS)
    done, spent = 0, 0.0
    while spent < seconds:
        some = list(islice(scenarios, BATCH))
        start = time.process_time()
        for scenario in some:
            predict(scenario, behaviour, texts=texts)
        spent += time.process_time() - start
        done += STEPS * BATCH
    return done / spent


if __name__ == "__main__":
    sys.exit(run(measure))

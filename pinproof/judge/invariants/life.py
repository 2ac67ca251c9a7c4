"""I-9: no pod ends a running kubelet.

A pod that cannot be had is rejected; whatever its manifest asks for, the kubelet runs on. A panic is a broken promise also where
the model of a release predicts it. What ends at a restart is not judged here: there a kubelet may refuse its configuration or
its state.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinproof.judge.course import Moment
from pinproof.judge.invariants.violation import Violation
from pinproof.scenario.steps import Restart


def no_pod_ends_the_kubelet(moment: Moment) -> Iterator[Violation]:
    """I-9, for an observation after a step of a pod; a kubelet that was killed from outside has no last words."""
    before, now = moment.before, moment.now
    if moment.step is None or isinstance(moment.step, Restart) or before is None or not before.running:
        return
    if not now.running and now.refusal:
        yield Violation("I-9", "running", "the kubelet runs on", f"it ended: {now.refusal}")

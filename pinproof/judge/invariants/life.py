"""I-9: no pod ends a running kubelet. I-10: one that is killed starts again.

A pod that cannot be had is rejected; whatever its manifest asks for, the kubelet runs on. A panic is a broken promise also where
the model of a release predicts it. What ends at a restart is not judged here: there a kubelet may refuse its configuration or
its state.

A kubelet may be killed at any moment, by the kernel or by the power. Files that it writes one after the other must then be such
that it starts on them, whatever it had written last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinproof.judge.course import Moment
from pinproof.judge.invariants.restart import pods_stay
from pinproof.judge.invariants.violation import Violation
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Restart


def no_pod_ends_the_kubelet(moment: Moment) -> Iterator[Violation]:
    """I-9, for an observation after a step of a pod; a kubelet that was killed from outside has no last words."""
    before, now = moment.before, moment.now
    if moment.step is None or isinstance(moment.step, Restart) or before is None or not before.running:
        return
    if not now.running and now.refusal:
        yield Violation("I-9", "running", "the kubelet runs on", f"it ended: {now.refusal}")


def killed_kubelet_starts_again(moment: Moment, ran_before: Mapping[str, Pod]) -> Iterator[Violation]:
    """I-10, for the start after a kill; `ran_before`: pods that were alive before the interrupted step and may still be."""
    if not moment.after_kill or moment.foreign:
        return
    if moment.now.running:
        yield from pods_stay("I-10", ran_before, moment.now)
    else:
        yield Violation("I-10", "running", "the kubelet starts again", f"it refuses: {moment.now.refusal}")

"""I-8: admission is a function of the state and the pod.

One history cannot show this; the same scenario run again, or another scenario that begins with the same events, can.
What may differ is the order of events: another order is another state.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from pinproof.history import History, PodVerdict
from pinproof.judge.invariants.violation import Violation
from pinproof.judge.words import words
from pinproof.scenario.pod import Pod
from pinproof.scenario.steps import Admit, AdmitTogether, Scenario


@dataclass(frozen=True, slots=True)
class Answer:
    """How a kubelet in some state answered a pod."""

    state: Hashable
    """Whatever tells states apart; `answers_of` takes the machine, the configuration and all events before."""

    pod: Pod
    verdict: PodVerdict
    step: int = 0
    """Index of the observation."""


Known = dict[tuple[Hashable, Pod], PodVerdict]
"""(state, pod) → the first verdict."""


def answers_of(scenario: Scenario, observed: History) -> Iterator[Answer]:
    """The answers of one history, each with everything that had happened before as its state.

    From pods that arrived together on, nobody knows what had happened before: their order is the kubelet's.
    """
    for index, (step, now) in enumerate(zip(scenario.steps, observed.observations[1:], strict=False)):
        if isinstance(step, AdmitTogether):
            return
        if isinstance(step, Admit) and now.pods is not None and step.pod.name in now.pods:
            state = (scenario.machine, scenario.kubelet, scenario.steps[:index])
            yield Answer(state, step.pod, now.pods[step.pod.name], index + 1)


def same_answer(answers: Iterable[Answer], known: Known | None = None) -> Iterator[Violation]:
    """I-8: the same state and pod got the same verdict with the same reason; messages are not part of it.

    `known` carries the first verdicts from call to call.
    """
    known = {} if known is None else known
    for answer in answers:
        first = known.setdefault((answer.state, answer.pod), answer.verdict)
        if (first.admitted, first.reason) != (answer.verdict.admitted, answer.verdict.reason):
            path = f"pods.{answer.pod.name}"
            expected = f"{words('', first)}, as the first time"
            yield Violation("I-8", path, expected, words("", answer.verdict))

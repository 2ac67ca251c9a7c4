"""I-8 over a run."""

from __future__ import annotations

from dataclasses import replace

from pinproof.history import History, Observation, PodVerdict, Prediction
from pinproof.judge import judge
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.model import predict
from pinproof.running.examine import Proof
from pinproof.running.recall import Recall
from pinproof.scenario.steps import Scenario
from pinproof.scenario.topologies import machine
from pinproof.subjects.protocol import Subject
from pinproof.subjects.reference import ReferenceSubject
from pinproof.suite import admit, guaranteed, static

REJECTED = PodVerdict(False, "UnexpectedAdmissionError", "no")


class Moody:
    """Answers the first scenario as the reference does and rejects every pod from then on."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, subject: Subject, scenario: Scenario) -> Proof:
        self.asked += 1
        prediction = predict(scenario, behaviour_of("1.36"))
        observed = prediction.histories[0]
        if self.asked > 1:
            observed = History(
                observed.subject, (observed.observations[0], Observation(running=True, pods={"a": REJECTED}))
            )
        return Proof(scenario, prediction, observed, judge(scenario, Prediction((observed,)), observed, CAPABLE))


CAPABLE = replace(ReferenceSubject().capabilities, observables=frozenset({"pods"}))
ONE = machine("one")
SCENARIO = Scenario("x", ONE, static()(ONE), (admit(guaranteed("a", memory="1Gi")),))


def test_another_answer_to_the_same_question_is_a_finding() -> None:
    """Also where each of the two histories is sound for itself."""
    recall, subject = Recall(Moody()), ReferenceSubject()

    assert () == recall(subject, SCENARIO).judgement.findings
    assert ["I-8"] == [finding.requirement for finding in recall(subject, SCENARIO).judgement.findings]


def test_another_beginning_is_another_question() -> None:
    """The state is all that had happened before."""
    recall, subject = Recall(Moody()), ReferenceSubject()
    other = replace(SCENARIO, kubelet=static(topology="restricted")(ONE))

    assert () == recall(subject, SCENARIO).judgement.findings
    assert () == recall(subject, other).judgement.findings

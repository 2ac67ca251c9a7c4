"""I-8 over a whole run: what a kubelet answered once it has to answer again.

Cases share beginnings, and the hidden state of a kubelet that served other cases before must not show. So every answer is
remembered with all that had happened before it, and a second, different one is a finding of the case that got it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pinproof.judge import Finding
from pinproof.judge.invariants import INVARIANTS, Known, answers_of, same_answer
from pinproof.running.examine import Examine, Proof
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Subject


class Recall:
    """Examines scenarios for one process of a run, and remembers the answers."""

    def __init__(self, examine: Examine) -> None:
        self._examine = examine
        self._known: Known = {}

    def __call__(self, subject: Subject, scenario: Scenario) -> Proof:
        """Examine; an answer that contradicts an earlier one is added to what the judge found."""
        proof = self._examine(subject, scenario)
        if len(proof.prediction.histories) > 1:
            return proof  # Go's map order decides, so another answer is no contradiction
        found = (*proof.judgement.findings, *self._contradictions(proof))
        return replace(proof, judgement=replace(proof.judgement, findings=found))

    def _contradictions(self, proof: Proof) -> Iterator[Finding]:
        invariant = INVARIANTS["I-8"]
        for answer in answers_of(proof.scenario, proof.observed):
            for found in same_answer([answer], self._known):
                explanation = f"{invariant.sentence} Source: {invariant.source}."
                yield Finding("required", "I-8", answer.step, found.path, found.expected, found.seen, explanation)

"""The judge: two histories in, findings and a verdict out. Pure; reads no file, runs nothing."""

from pinproof.history import Prediction
from pinproof.judge.compare import ABSENT, Difference, compare, coverage
from pinproof.judge.invariants import INVARIANTS, Answer, Invariant, Violation, answers_of, same_answer, violations
from pinproof.judge.lattice import RunSummary, exit_code, exit_reason, merge
from pinproof.judge.outcomes import judge_outcomes, repeats
from pinproof.judge.render import describe_step, one_line, render, replay_command
from pinproof.judge.verdict import Finding, Judgement, judge

__all__ = [
    "ABSENT",
    "INVARIANTS",
    "Answer",
    "Difference",
    "Finding",
    "Invariant",
    "Judgement",
    "Prediction",
    "RunSummary",
    "Violation",
    "answers_of",
    "compare",
    "coverage",
    "describe_step",
    "exit_code",
    "exit_reason",
    "judge",
    "judge_outcomes",
    "merge",
    "one_line",
    "render",
    "repeats",
    "replay_command",
    "same_answer",
    "violations",
]

"""What a campaign counts; the tallies of its parts add up to that of the whole, in whatever order they are added."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pinproof.fuzz.findings import Signature
from pinproof.fuzz.trial import Trial
from pinproof.scenario.steps import Admit, Restart


@dataclass(slots=True)
class Tally:
    """Counts of some scenarios."""

    counts: Counter[str] = field(default_factory=Counter)
    """`scenarios`, and what was in them: `steps`, `admissions`, `rejections`, `restarts`, `refusals`; `open`: those whose
    outcome Go's map order decides; `unpredicted`: those that the reference declines."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Outcome of the judgement → scenarios."""

    reached: Counter[str] = field(default_factory=Counter)
    """Decision of the reference → how often it was taken."""

    signatures: Counter[Signature] = field(default_factory=Counter)
    """What went wrong and nothing explains → scenarios."""

    explained: Counter[str] = field(default_factory=Counter)
    """Ledger entry → findings that it explains."""

    first: dict[Signature, int] = field(default_factory=dict)
    """Signature → the first scenario that showed it."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Phase → time, of all workers together."""

    def add(self, other: Tally) -> None:
        """Count the other's scenarios too."""
        self.counts.update(other.counts)
        self.outcomes.update(other.outcomes)
        self.reached.update(other.reached)
        self.signatures.update(other.signatures)
        self.explained.update(other.explained)
        for phase, seconds in other.seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds
        for signature, number in other.first.items():
            self.first[signature] = min(number, self.first.get(signature, number))

    def count(self, trial: Trial) -> None:
        """Count one scenario that was judged."""
        self.outcomes[trial.judgement.outcome] += 1
        self.reached.update(trial.reached)
        scenario = trial.scenario
        observed = trial.observed[0].observations if trial.observed else ()
        counts = self.counts
        counts["scenarios"] += 1
        counts["steps"] += len(scenario.steps)
        counts["open"] += len(trial.prediction.histories) > 1
        for step, seen in zip(scenario.steps, observed[1:], strict=False):
            if isinstance(step, Admit):
                verdict = (seen.pods or {}).get(step.pod.name)
                counts["admissions"] += verdict is not None
                counts["rejections"] += verdict is not None and not verdict.admitted
            elif isinstance(step, Restart):
                counts["restarts"] += 1
                counts["refusals"] += not seen.running

    def found(self, signature: Signature, number: int) -> None:
        """Count a finding that nothing explains."""
        self.signatures[signature] += 1
        self.first.setdefault(signature, number)

"""One drawn scenario: run, predicted, judged, quickly where all is well.

The judge's own words and the notes of the reference cost time, so they are made only for a scenario that fails and is to
be kept.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pinproof.errors import InputError
from pinproof.fuzz.findings import Signature, signatures
from pinproof.history import History, Prediction
from pinproof.judge.outcomes import judge_outcomes, repeats
from pinproof.judge.verdict import Finding, Judgement, judge
from pinproof.ledger import Entry
from pinproof.reference.behaviour import behaviour_of
from pinproof.reference.decisions import Reached
from pinproof.reference.model import predict
from pinproof.running.examine import Repeats
from pinproof.running.releases import minor_of
from pinproof.scenario.steps import Scenario
from pinproof.subjects.protocol import Capabilities, NotObservableError, Subject

PHASES = ("draw", "run", "predict", "judge")
"""What the time of a campaign is spent on."""

TEXTS = frozenset({"state_file"})
"""Observables that are texts, read only where there is time."""

MOST_REPEATS = 200
"""Runs of one scenario whose outcome is open; of an outcome rarer than that a campaign says nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A scenario with all that came of it."""

    scenario: Scenario
    prediction: Prediction
    observed: tuple[History, ...]
    """The distinct ones of all runs: several only where the reference allows several; none where pinproof failed."""

    judgement: Judgement
    runs: int = 1
    reached: Mapping[str, int] = field(default_factory=dict)
    """Decisions of the reference that were taken, and how often."""

    def signatures(self, ledger: Sequence[Entry] = ()) -> Mapping[Signature, Finding]:
        """What is wrong and not explained by the ledger, none when all is well."""
        if not self.judgement.findings and not self.judgement.trouble:
            return {}
        return signatures(self.scenario, self.judgement, explained=lambda found: bool(self.explanation(found, ledger)))

    def explanation(self, finding: Finding, ledger: Sequence[Entry]) -> Entry | None:
        """The entry that explains a finding of this scenario."""
        return next((entry for entry in ledger if entry.explains(finding, self.reached)), None)


@dataclass(slots=True)
class Bench:
    """A subject and the reference of its release, side by side."""

    subject: Subject
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    """Phase → time spent."""

    def examine(self, scenario: Scenario, *, thorough: bool = True) -> Trial:
        """Run, predict and judge; a reference that raises is trouble, as a judge that raises is.

        Unless `thorough`, the texts of state files are not read: that takes a quarter of the time of all else.

        Raises:
            InputError: the reference does not predict this scenario.
            SubjectError: the subject cannot be started.
        """
        began = time.perf_counter()
        reached = Reached()
        try:
            prediction = self._predict(scenario, reached=reached)
        except InputError:
            raise
        except Exception:  # noqa: BLE001  # a bug of pinproof is a finding like any other, and the campaign goes on
            return _without_verdict(scenario)
        self.seconds["predict"] += time.perf_counter() - began
        try:
            return self._examine(scenario, prediction, reached, self._capabilities(thorough=thorough))
        except InputError:
            return _without_verdict(scenario)  # the reference could carry the scenario out, and the subject could not

    def _examine(
        self, scenario: Scenario, prediction: Prediction, reached: Reached, capabilities: Capabilities
    ) -> Trial:
        began = time.perf_counter()
        observed, runs = self._run(scenario, prediction)
        ran = time.perf_counter()
        judgement = _judge(scenario, prediction, observed, capabilities, runs)
        self.seconds["run"] += ran - began
        self.seconds["judge"] += time.perf_counter() - ran
        return Trial(scenario, prediction, observed, judgement, runs, reached)

    def explain(self, trial: Trial) -> Trial:
        """The same with the notes of the reference, and all that the judge has to say."""
        if not trial.observed:
            return trial
        prediction = self._predict(trial.scenario)
        judgement = _judge(trial.scenario, prediction, trial.observed, self.subject.capabilities, trial.runs)
        return replace(trial, prediction=prediction, judgement=judgement)

    def shows(self, scenario: Scenario, signature: Signature, ledger: Sequence[Entry] = ()) -> bool:
        """Whether the scenario fails in this way; one that is not predicted does not."""
        thorough = signature.path.split(".", 1)[0] in TEXTS
        try:
            return signature in self.examine(scenario, thorough=thorough).signatures(ledger)
        except (InputError, NotObservableError):
            return False

    def _predict(self, scenario: Scenario, *, reached: Reached | None = None) -> Prediction:
        """Quickly where somebody counts decisions, with all texts otherwise."""
        shown = self.subject.capabilities.observables
        return predict(
            scenario,
            behaviour_of(minor_of(self.subject.version)),
            texts=reached is None,
            hints="hints" in shown,
            listed=reached is None or "pod_resources" in shown,
            reached=reached,
        )

    def _run(self, scenario: Scenario, prediction: Prediction) -> tuple[tuple[History, ...], int]:
        if len(prediction.histories) == 1 or not isinstance(self.subject, Repeats):
            return (self.subject.run(scenario),), 1
        runs = min(MOST_REPEATS, repeats(prediction))
        return self.subject.outcomes(scenario, repeat=runs), runs

    def _capabilities(self, *, thorough: bool) -> Capabilities:
        """What is asked of the subject's history."""
        return self.subject.capabilities if thorough else _without_texts(self.subject.capabilities)


@lru_cache(maxsize=4)
def _without_texts(shown: Capabilities) -> Capabilities:
    return replace(shown, observables=shown.observables - TEXTS)


def _without_verdict(scenario: Scenario) -> Trial:
    """Of an exception that is being handled."""
    trouble = f"the scenario could not be carried out\n{traceback.format_exc()}"
    return Trial(scenario, Prediction(()), (), Judgement((), (), trouble=trouble))


def _judge(
    scenario: Scenario,
    prediction: Prediction,
    observed: tuple[History, ...],
    capabilities: Capabilities,
    runs: int,
) -> Judgement:
    if runs == 1:
        return judge(scenario, prediction, observed[0], capabilities)
    return judge_outcomes(scenario, prediction, observed, capabilities, repeat=runs)

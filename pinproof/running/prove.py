"""`prove`: the one word of a case that does something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Final, NoReturn

from pinproof.errors import CaptureError
from pinproof.report.result import Table
from pinproof.running.artefacts import Gathers
from pinproof.running.configuration import Configuration
from pinproof.running.examine import Examine, Proof
from pinproof.running.given import require_empty
from pinproof.running.releases import minor_of
from pinproof.running.seen import NotObservableError, Seen
from pinproof.running.steps import Planned, planned
from pinproof.running.words import Words
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.machine import Machine
from pinproof.scenario.steps import Scenario, Step
from pinproof.subjects.protocol import Found, Given, Subject
from pinproof.waiting import looks

_LOGGED: Final = 5.0
"""Seconds within which a kubelet has logged what it does beside its work, such as events."""

KEPT = 20
"""Proofs of a case that runs many scenarios; those after the first few wrong ones tell nothing new."""


class Prove:
    """Runs scenarios on the subject of this case and judges them; what was found is kept for the end of the case."""

    def __init__(
        self,
        subject: Subject,
        machine: Machine,
        configuration: Configuration,
        examine: Examine,
        *,
        name: str = "case",
        given: bool = False,
    ) -> None:
        """A case that is `given` takes the node of its subject as it is, where that cannot be chosen."""
        self.subject = subject
        self.machine = machine
        self.configuration = configuration
        self._there = subject if isinstance(subject, Given) else None
        self._given = given
        if given and self._there:
            self.machine, self.configuration = _as_found(self._there.found())
        self.proofs: list[Proof] = []
        self.tables: list[Table] = []
        """What the report is to tell of the case beside its verdict."""

        self._examine = examine
        self._name = name

    def __repr__(self) -> str:
        return f"<prove on {self.subject.name}, {self.machine.name}, {self.configuration.slug}>"

    @property
    def minor(self) -> str:
        """Minor of the subject, such as `1.36`."""
        return minor_of(self.subject.version)

    def __call__(
        self,
        *steps: Step | Planned,
        kubelet: Configuration | KubeletConfig | None = None,
        machine: Machine | None = None,
    ) -> Seen:
        """Run the steps on a clean node and return what was seen.

        Args:
            steps: what happens after the kubelet has started.
            kubelet: a configuration other than the case's own.
            machine: a machine other than the case's own.

        Raises:
            NotObservableError: the subject cannot do one of the steps.
            CaptureError: there is no verdict, because something was not captured; what was seen is kept.
        """
        machine = machine or self.machine
        proof = self._examine(self.subject, self.scenario(*planned(steps, machine), kubelet=kubelet, machine=machine))
        self.proofs.append(proof)
        return Seen(self._with_verdict(proof).observed, self.subject.capabilities).begun(proof.scenario)

    def scenario(
        self,
        *steps: Step,
        kubelet: Configuration | KubeletConfig | None = None,
        machine: Machine | None = None,
    ) -> Scenario:
        """The scenario of these steps on the case's machine and configuration, or on others."""
        machine = machine or self.machine
        maker = kubelet or self.configuration
        config = maker(machine) if isinstance(maker, Configuration) else maker
        before = self._there.found().before if self._there else ()
        if not self._given:
            require_empty(before)
        return Scenario(self._name, machine, config, (*before, *steps))

    def needs(self, what: str) -> NoReturn:
        """For a case that takes a node as it is, where this node cannot show it: raises NotObservableError."""
        raise NotObservableError(f"{self.machine.name} has not what the case needs: {what}")

    def examined(self, scenario: Scenario) -> Proof:
        """Run and judge one of many scenarios; only the first and those with a finding are kept for the end of the case.

        Raises as calling does.
        """
        proof = self._examine(self.subject, scenario)
        wrong = bool(proof.judgement.findings or proof.judgement.trouble)
        if not self.proofs or (wrong and len(self.proofs) < KEPT):
            self.proofs.append(proof)
        return self._with_verdict(proof)

    def _with_verdict(self, proof: Proof) -> Proof:
        if proof.judgement.trouble:
            raise CaptureError(
                "judge",
                f"there is no verdict on {self.subject.name}: {proof.judgement.trouble}",
                fault="the subject, or the machine it runs on",
                remedy="see the artefacts of the case; on a slow machine try --slow 3",
            )
        return proof

    def gathered(self, name: str) -> str:
        """A file of the last scenario that is otherwise kept for failures alone: `kubelet.log`, `calls.jsonl`, `metrics.prom`.

        Raises NotObservableError where the subject has no such file.
        """
        files = self.subject.gather() if isinstance(self.subject, Gathers) else {}
        if name not in files:
            raise NotObservableError(f"{self.subject.name} does not show {name}")
        return files[name]

    def words(self, has: Callable[[Words], object] = lambda words: True) -> Words:
        """What the latest kubelet of the last scenario has logged, read again for a moment until it `has` what it should.

        Raises NotObservableError where the subject has no log.
        """
        words = Words.of("")
        for _ in looks(_LOGGED, pause=0.05):  # events are logged by a goroutine of their own
            words = Words.of(self.gathered("kubelet.log"))
            if has(words):
                break
        return words


def _as_found(found: Found) -> tuple[Machine, Configuration]:
    """The machine and the configuration of a node that is given."""
    settings = {field.name: getattr(found.kubelet, field.name) for field in fields(found.kubelet)}
    return found.machine, Configuration("found", tuple(sorted(settings.items())))

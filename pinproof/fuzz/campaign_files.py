"""The folder of a campaign: `campaign.json`, and a folder for everything found, written the moment it is found.

    OUT/campaign.json
    OUT/findings/<signature>/scenario.yaml     the smallest scenario known
                             original.yaml     the one that was drawn, where it is another
                             predicted.json    what the reference allows
                             observed.json     what the subject showed
                             difference.txt    both side by side, and how the reference came to what it expects
                             replay.txt        the command that shows it again

Every file appears whole or not at all, so that nothing is lost whenever the campaign ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

import pinproof
from pinproof.errors import InputError, Problem
from pinproof.fuzz.campaign import Found, Progress
from pinproof.fuzz.campaign_document import (
    API_VERSION,
    CampaignDocument,
    DecisionsDocument,
    ExplainedDocument,
    FindingDocument,
    SignatureDocument,
    SubjectDocument,
    to_json,
)
from pinproof.fuzz.findings import Signature
from pinproof.fuzz.shrink import Shrunk
from pinproof.fuzz.tally import Tally
from pinproof.fuzz.trial import Trial
from pinproof.judge.render import render, replay_command
from pinproof.ledger import Entry
from pinproof.running.facts import Facts
from pinproof.running.plain import to_json as text_of
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.writer import write_scenario

CAMPAIGN = "campaign.json"


@dataclass(frozen=True, slots=True)
class About:
    """What a campaign is of; another one cannot go on in its folder."""

    facts: Facts
    seed: int
    grammar: str
    """Digest of what the seed stands for."""

    ledger: tuple[Entry, ...]
    decisions: tuple[str, ...]
    """All decisions of the reference."""


class Folder:
    """Where a campaign keeps what it finds."""

    def __init__(self, place: Path, about: About) -> None:
        self.place = place
        self.about = about

    def scenario_file(self, found: Found) -> Path:
        """Where the smallest scenario of a finding lies."""
        return self.place / "findings" / found.signature.id / "scenario.yaml"

    def replay(self, found: Found) -> str:
        """The command that shows a finding again."""
        return replay_command(str(self.scenario_file(found)), self.about.facts.name)

    def keep(self, found: Found) -> None:
        """Write what is known of a finding. Raises InputError where the folder cannot be written."""
        if found.trial is None:
            return
        folder = self.scenario_file(found).parent
        with _writing(self.place):
            folder.mkdir(parents=True, exist_ok=True)
            if found.shrunk and not (folder / "original.yaml").exists() and (folder / "scenario.yaml").exists():
                (folder / "scenario.yaml").replace(folder / "original.yaml")
            for name, text in self._texts(found, found.trial).items():
                write(folder / name, text)

    def _texts(self, found: Found, trial: Trial) -> Mapping[str, str]:
        file = str(self.scenario_file(found))
        difference = render(trial.judgement, trial.scenario, file=file, subject=self.about.facts.name)
        return {
            "scenario.yaml": write_scenario(trial.scenario),
            "predicted.json": text_of(trial.prediction),
            "observed.json": text_of([replace(history, artefacts={}) for history in trial.observed]),
            "difference.txt": f"{self._headline(found)}\n\n{difference}",
            "replay.txt": f"{self.replay(found)}\n",
        }

    def _headline(self, found: Found) -> str:
        facts = self.about.facts
        where = f"on {facts.name} ({facts.version}), seed {self.about.seed}, first in {origin(found.number)}"
        lines = [str(found.signature), f"{where}; kubelet: {found.confirmed}"]
        if found.shrunk:
            tried = f"{found.shrunk.tries} tries, {found.shrunk.seconds:.1f} s"
            lines.append(
                f"shrunk to {size(found)} in {tried}" if found.shrunk.again else "did not fail so when run again"
            )
        return "\n".join(lines)

    def save(self, progress: Progress, *, ended: str, exit_code: int) -> CampaignDocument:
        """Write `campaign.json`. Raises InputError where the folder cannot be written."""
        document = self.document(progress, ended=ended, exit_code=exit_code)
        with _writing(self.place):
            write(self.place / CAMPAIGN, to_json(document))
        return document

    def document(self, progress: Progress, *, ended: str, exit_code: int) -> CampaignDocument:
        """The campaign as a document."""
        tally, facts = progress.tally, self.about.facts
        return CampaignDocument(
            api_version=API_VERSION,
            kind="Campaign",
            subject=SubjectDocument(name=facts.name, version=facts.version, properties=dict(facts.properties)),
            pinproof=pinproof.__version__,
            grammar=self.about.grammar,
            seed=self.about.seed,
            done=progress.done,
            corpus=progress.corpus,
            counts=dict(sorted(tally.counts.items())),
            outcomes=dict(sorted(tally.outcomes.items())),
            decisions=DecisionsDocument(known=list(self.about.decisions), reached=dict(sorted(tally.reached.items()))),
            explained=[self._explained(*use) for use in sorted(tally.explained.items())],
            findings=[self._finding(found, progress) for found in progress.findings()],
            seconds=round(progress.seconds, 3),
            phases={phase: round(seconds, 3) for phase, seconds in sorted(tally.seconds.items())},
            megabytes=progress.megabytes,
            exit_code=exit_code,
            ended=ended,
        )

    def _explained(self, source: str, times: int) -> ExplainedDocument:
        entry = next(entry for entry in self.about.ledger if entry.source == source)
        return ExplainedDocument(entry=source, finding=entry.name, link=entry.link, reason=entry.reason, times=times)

    def _finding(self, found: Found, progress: Progress) -> FindingDocument:
        signature = found.signature
        steps, pods = found.size
        return FindingDocument(
            id=signature.id,
            signature=SignatureDocument.model_validate(signature, from_attributes=True),
            first=found.number,
            times=max(1, progress.tally.signatures[signature]),
            steps=steps,
            pods=pods,
            shrunk=bool(found.shrunk and found.shrunk.finished),
            again=not found.shrunk or found.shrunk.again,
            shrink_seconds=round(found.shrunk.seconds, 3) if found.shrunk else 0,
            shrink_tries=found.shrunk.tries if found.shrunk else 0,
            confirmed=found.confirmed,
            folder=f"findings/{signature.id}",
            replay=self.replay(found),
        )


# Going on


def earlier(place: Path) -> CampaignDocument | None:
    """The campaign that lies in a folder, None where there is none. Raises InputError for a file that is none."""
    path = place / CAMPAIGN
    try:
        return CampaignDocument.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(str(path), Problem("", f"cannot be read: {error.strerror}")) from None
    except ValidationError as error:
        problems = (Problem(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
        raise InputError(str(path), *problems) from None


def refuse_another(document: CampaignDocument, about: About, place: Path) -> None:
    """Raise InputError, with all that differs, if the campaign in the folder is another than the one meant."""
    pairs = (
        ("--subject", document.subject.name, about.facts.name),
        ("the subject's release", document.subject.version, about.facts.version),
        ("--seed", document.seed, about.seed),
    )
    problems = [
        Problem(what, f"the campaign there has {theirs}, this one {ours}")
        for what, theirs, ours in pairs
        if theirs != ours
    ]
    if not problems and document.grammar != about.grammar:
        problems.append(
            Problem("", "it was drawn by another version of pinproof, for which the seed stands for other scenarios")
        )
    if problems:
        remedy = Problem("", "name another folder with --out, or go on with what the campaign there has")
        raise InputError(f"--out {place}", *problems, remedy)


def restored(document: CampaignDocument, place: Path) -> Progress:
    """How far a campaign is. Raises InputError when a scenario it found is gone or cannot be read."""
    tally = Tally(seconds=dict(document.phases))
    tally.counts.update(document.counts)
    tally.outcomes.update(document.outcomes)
    tally.reached.update(document.decisions.reached)
    tally.explained.update({use.entry: use.times for use in document.explained})
    found: dict[Signature, Found] = {}
    for finding in document.findings:
        signature = Signature(**finding.signature.model_dump())
        scenario = read_scenario(place / finding.folder / "scenario.yaml")
        tries, seconds = finding.shrink_tries, finding.shrink_seconds
        shrunk = Shrunk(scenario, tries, seconds, finished=finding.shrunk, again=finding.again) if tries else None
        found[signature] = Found(signature, finding.first, scenario, None, shrunk, finding.confirmed)
        if finding.first < document.done:
            tally.signatures[signature] = finding.times
            tally.first[signature] = finding.first
    return Progress(
        done=document.done,
        tally=tally,
        found={signature: one for signature, one in found.items() if one.number < document.done},
        early={signature: one for signature, one in found.items() if one.number >= document.done},
        seconds=document.seconds,
        megabytes=document.megabytes,
        corpus=document.corpus,
    )


# Texts and files


def origin(number: int) -> str:
    """Where a scenario is from."""
    return f"scenario {number}" if number >= 0 else f"scenario {-number} of the corpus"


def size(found: Found) -> str:
    """`2 steps, 1 pod`."""
    steps, pods = found.size
    return f"{steps} step{'s' * (steps != 1)}, {pods} pod{'s' * (pods != 1)}"


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    """Turns the errors of writing into one for the user."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        problem = Problem("", f"cannot be written: {reason}; name a folder that is yours")
        raise InputError(f"--out {place}", problem) from None

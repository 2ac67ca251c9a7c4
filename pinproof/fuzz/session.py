"""One run of `pinproof fuzz`: from what a user asked for to a campaign, its workers, and the exit code."""

from __future__ import annotations

import hashlib
import os
import random
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pinproof.fuzz.campaign import Campaign, Limits, Progress
from pinproof.fuzz.campaign_document import CampaignDocument, to_json
from pinproof.fuzz.campaign_files import About, Folder, earlier, refuse_another, restored
from pinproof.fuzz.campaign_text import Narrator, summary
from pinproof.fuzz.confirm import Open, kubelet_for
from pinproof.fuzz.corpus import Corpus, default_place
from pinproof.fuzz.crew import Crew, alone, processes
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.statistics import UNREACHABLE, statistics
from pinproof.fuzz.trial import Bench
from pinproof.fuzz.worker import Plan, Worker
from pinproof.judge.lattice import EXIT_CLEAN, EXIT_FAILED, EXIT_INCOMPLETE
from pinproof.ledger import read_ledger
from pinproof.reference.decisions import DECISIONS
from pinproof.report.files import claim
from pinproof.running.examine import abilities
from pinproof.running.facts import Facts, facts_of
from pinproof.running.places import shipped
from pinproof.scenario.steps import Scenario
from pinproof.scenario.writer import write_scenario
from pinproof.subjects.protocol import Subject
from pinproof.subjects.registry import open_subject

EXIT_INTERRUPTED: Final = 130

SETTINGS_OF_A_KIND: Final = {"kubelet": 12, "kind": 12}
"""Kind of subject → scenarios in a row that share a machine and a configuration, where a change of these costs a boot."""

DRAWN: Final = 2000
"""Scenarios whose statistics are told where nobody says how many."""

SAMPLE: Final = 12
"""Scenarios that tell one grammar from another."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for; None where nothing was said."""

    subject: str | None = None
    default_subject: str = ""
    scenarios: int | None = None
    minutes: float | None = None
    seed: int | None = None
    workers: int | None = None
    out: Path | None = None
    corpus: Path | None = None
    no_corpus: bool = False
    confirm: str | None = None
    no_confirm: bool = False
    shrink: bool = True
    max_findings: int = 50
    ledger: Path | None = None
    statistics: bool = False
    as_json: bool = False


def hold(wishes: Wishes, *, open_: Open = open_subject) -> int:
    """Run or continue a campaign, tell of it, and return the exit code.

    Raises:
        InputError: what was asked for cannot be, or belongs to another campaign than the one in the folder.
        SubjectError: the subject cannot be had.
    """
    if wishes.statistics:
        return _draw_only(wishes, open_)
    before = earlier(wishes.out) if wishes.out else None
    spec = wishes.subject or (before.subject.name if before else wishes.default_subject)
    seed = _seed(wishes, before)
    with closing(open_(spec)) as subject, claim(_place(wishes, seed)) as place:
        plan = Plan(
            subject=spec,
            seed=seed,
            ledger=read_ledger(wishes.ledger or shipped("ledger")),
            batch=SETTINGS_OF_A_KIND.get(spec.partition(":")[0], 1),
        )
        about = _about(plan, subject, open_)
        progress = Progress()
        if before:
            refuse_another(before, about, place)
            progress = restored(before, place)
        corpus = _corpus(wishes, about.facts)
        narrator = Narrator(Folder(place, about))
        narrator.say(_opening(about, place, before))
        with _crew(wishes, plan, open_, subject) as crew:
            campaign = Campaign(
                crew,
                Limits(
                    scenarios=wishes.scenarios,
                    seconds=wishes.minutes and wishes.minutes * 60,
                    findings=wishes.max_findings,
                    chunk=max(plan.batch, 50 if plan.batch == 1 else 1),
                ),
                progress,
                narrator,
                confirm=_confirming(wishes, about.facts),
                shrinks=wishes.shrink,
                saved=() if before or corpus is None else _possible(corpus.load(), subject),
                corpus=corpus,
            )
            ended = _run(campaign)
        return _tell(wishes, campaign, narrator.folder, ended)


def _draw_only(wishes: Wishes, open_: Open) -> int:
    """Say what would be drawn; nothing but the reference is run."""
    with closing(open_(wishes.subject or wishes.default_subject)) as subject:
        profile = Profile.of(subject.version, subject.capabilities)
    seed = _seed(wishes, None)
    drawn = statistics(wishes.scenarios or DRAWN, seed=seed, profile=profile)
    sys.stdout.write(f"seed {seed}, Kubernetes {profile.minor}: {drawn.render()}")
    return EXIT_CLEAN


def _seed(wishes: Wishes, before: CampaignDocument | None) -> int:
    if wishes.seed is not None:
        return wishes.seed
    return before.seed if before else random.SystemRandom().randrange(1 << 31)


def _place(wishes: Wishes, seed: int) -> Path:
    """The folder asked for, or a new one."""
    if wishes.out:
        return wishes.out
    place = first = Path("out") / f"fuzz-{seed}"
    number = 2
    while place.exists():
        place = first.with_name(f"{first.name}-{number}")
        number += 1
    return place


def _about(plan: Plan, subject: Subject, open_: Open) -> About:
    worker = Worker(plan, Bench(subject), open_)
    sample = "".join(write_scenario(worker.draw(number)) for number in range(SAMPLE))
    return About(
        facts=facts_of(subject),
        seed=plan.seed,
        grammar=hashlib.sha256(sample.encode()).hexdigest()[:16],
        ledger=plan.ledger,
        decisions=tuple(name for name in DECISIONS if name not in UNREACHABLE),
    )


def _opening(about: About, place: Path, before: CampaignDocument | None) -> str:
    goes_on = f", goes on after {before.done:,} scenarios" if before else ""
    return f"campaign on {about.facts.name} ({about.facts.version}), seed {about.seed}{goes_on}; findings go to {place}"


def _corpus(wishes: Wishes, facts: Facts) -> Corpus | None:
    """A run with a seed is a function of that seed: what earlier runs left in a corpus is not asked unless it is named."""
    if wishes.no_corpus or (wishes.seed is not None and not wishes.corpus):
        return None
    return Corpus(wishes.corpus or default_place(facts.minor))


def _possible(scenarios: tuple[Scenario, ...], subject: Subject) -> tuple[Scenario, ...]:
    """Those that the subject can carry out."""
    return tuple(scenario for scenario in scenarios if abilities(scenario) <= subject.capabilities.steps)


def _confirming(wishes: Wishes, facts: Facts) -> str:
    """The last word is a kubelet's: of one that serves scenario after scenario, the same kubelet's on a node of its own."""
    if wishes.no_confirm:
        return ""
    return wishes.confirm or (facts.name if facts.kind == "kubelet" else kubelet_for(facts.name, facts.version))


@contextmanager
def _crew(wishes: Wishes, plan: Plan, open_: Open, subject: Subject) -> Iterator[Crew]:
    number = os.cpu_count() or 1 if wishes.workers is None else wishes.workers
    crew = processes(plan, open_, number) if number else alone(plan, open_, subject)
    try:
        yield crew
    finally:
        crew.close()


def _run(campaign: Campaign) -> str:
    """Why it ended."""
    try:
        campaign.run()
    except KeyboardInterrupt:
        return "interrupted"
    return campaign.trouble.message if campaign.trouble else "done"


def _tell(wishes: Wishes, campaign: Campaign, folder: Folder, ended: str) -> int:
    code = _exit_code(campaign, ended)
    for found in campaign.progress.findings():
        folder.keep(found)
    document = folder.save(campaign.progress, ended=ended, exit_code=code)
    sys.stdout.write(to_json(document) if wishes.as_json else summary(document))
    return code


def _exit_code(campaign: Campaign, ended: str) -> int:
    if ended == "interrupted":
        return EXIT_INTERRUPTED
    if campaign.progress.found:
        oracles = {signature.oracle for signature in campaign.progress.found}
        return EXIT_FAILED if oracles - {"trouble"} else EXIT_INCOMPLETE
    if campaign.trouble:
        return campaign.trouble.exit_code
    return EXIT_CLEAN if campaign.progress.done else EXIT_INCOMPLETE

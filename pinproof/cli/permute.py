"""`pinproof permute`: a scenario restarted after each of its steps, with its pods in every order."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pinproof.report.result import Table
    from pinproof.running.examine import Proof
    from pinproof.scenario.steps import Scenario
    from pinproof.subjects.protocol import Subject

    Examined = Callable[[Scenario], Proof]

DEFAULT_SUBJECT = "kubelet:1.36.3"
SHOWN = 10
"""Restarts with findings that are told in full."""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "permute",
        help="a scenario restarted after each of its steps, with its pods in every order",
        description=f"{__doc__} Exit 0: every restart is judged good; 1: one is not; 10: one has no verdict.",
    )
    parser.add_argument("file", metavar="FILE", help="a scenario file")
    parser.add_argument("--subject", metavar="S", default=DEFAULT_SUBJECT, help=f"default {DEFAULT_SUBJECT}")
    parser.add_argument(
        "--states",
        metavar="LIST",
        default="kept,lost",
        help="what becomes of the state file (default kept,lost), or all",
    )
    parser.add_argument(
        "--changes", metavar="LIST", default="nothing", help="what becomes of the pods (default nothing), or all"
    )
    parser.add_argument("--after", metavar="LIST", default="", help="restart after these numbers of steps only: 0,3")
    parser.add_argument(
        "--crashes",
        nargs="?",
        const="writes",
        choices=("writes", "calls", "all"),
        help="instead of that, kill the kubelet at every write of a state file (or call to the runtime, or both) and restart it",
    )
    parser.add_argument("--out", metavar="DIR", help="save the scenarios with findings there, to be replayed")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument("--slow", metavar="N", type=float, default=1.0, help="stretch every wait")
    parser.set_defaults(run=permute)


def permute(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    from contextlib import closing

    from pinproof.permutations import CHANGES, DISKS, STATES
    from pinproof.running.examine import examine
    from pinproof.scenario.reader import read_scenario
    from pinproof.subjects.registry import open_subject

    scenario = read_scenario(options.file)
    states = _named("--states", options.states, (*STATES, *DISKS))
    changes = _named("--changes", options.changes, CHANGES)
    prefixes = _numbers(options.after, len(scenario.steps))
    wrong: list[Proof] = []
    with closing(open_subject(options.subject, slow=options.slow)) as subject:

        def examined(one: Scenario) -> Proof:
            proof = examine(subject, one)
            wrong.extend([proof] if proof.judgement.findings or proof.judgement.trouble else [])
            return proof

        if "disk" not in subject.capabilities.steps and options.states == "all":
            states = STATES
        if options.crashes:
            found = _crashes(scenario, options.crashes, examined)
        else:
            found = _restarts(scenario, subject, examined, states=states, changes=changes, prefixes=prefixes)
        return _tell(options, subject, found, wrong)


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of all of it."""

    what: str
    """`restarts`."""

    count: int
    table: Table


def _restarts(
    scenario: Scenario,
    subject: Subject,
    examined: Examined,
    *,
    states: tuple[str, ...],
    changes: tuple[str, ...],
    prefixes: Sequence[int] | None,
) -> _Found:
    from pinproof.permutations import Permuted, courses, trials
    from pinproof.running.permuting import prediction, results
    from pinproof.running.releases import minor_of

    found = Permuted()
    predict = prediction(minor_of(subject.version))
    every = trials(scenario, predict, states=states, changes_=changes, prefixes=prefixes, thrifty=True)
    for course in courses(every, predict):
        found.results += results(course, examined(course.scenario))
    return _Found("restarts", found.restarts, found.table(""))


def _crashes(scenario: Scenario, which: str, examined: Examined) -> _Found:
    from pinproof.permutations.crashes import CALLS, WRITES
    from pinproof.running.crashing import crashed

    found = crashed(scenario, examined, {"writes": WRITES, "calls": CALLS, "all": (*WRITES, *CALLS)}[which])
    return _Found("crashes", found.points, found.table(""))


def _named(option: str, given: str, known: Sequence[str]) -> tuple[str, ...]:
    from pinproof.errors import InputError, Problem

    names = tuple(known) if given == "all" else tuple(filter(None, (name.strip() for name in given.split(","))))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise InputError(option, Problem("", f"no {', '.join(unknown) or 'name'}; there are {', '.join(known)}, all"))
    return names


def _numbers(given: str, steps: int) -> list[int] | None:
    from pinproof.errors import InputError, Problem

    if not given:
        return None
    numbers = [int(part) if part.strip().isdigit() else -1 for part in given.split(",")]
    if any(not 0 <= number <= steps for number in numbers):
        raise InputError(
            "--after", Problem("", f"{given!r} is no list of numbers from 0 to {steps}, such as 0,{steps}")
        )
    return numbers


def _tell(options: argparse.Namespace, subject: Subject, found: _Found, wrong: list[Proof]) -> int:
    trouble = any(proof.judgement.trouble for proof in wrong)
    failed = any(proof.judgement.findings for proof in wrong if not proof.judgement.trouble)
    code = 1 if failed else 10 if trouble or not found.count else 0
    files = _saved(options.out, wrong)
    answer = _json(subject, found, wrong, code) if options.json else _text(subject, found, wrong, files)
    print(answer, end="")
    return code


def _saved(folder: str | None, wrong: list[Proof]) -> list[Path]:
    """Where each scenario with findings lies, or would with `--out`."""
    from pathlib import Path

    from pinproof.errors import InputError, Problem
    from pinproof.scenario.writer import write_scenario

    files = [Path(folder or "DIR") / f"restarts-{number}.yaml" for number in range(1, len(wrong) + 1)]
    try:
        for file, proof in zip(files, wrong, strict=True) if folder else ():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(write_scenario(proof.scenario), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--out {folder}", Problem("", f"cannot be written: {error.strerror or error}")) from None
    return files


def _text(subject: Subject, found: _Found, wrong: list[Proof], files: list[Path]) -> str:
    from pinproof.judge.render import render

    findings = [
        render(proof.judgement, proof.scenario, file=str(file), subject=subject.name)
        for file, proof in list(zip(files, wrong, strict=True))[:SHOWN]
    ]
    last = f"{found.count} {found.what} of {subject.name}, {len(wrong)} scenarios with findings\n"
    return "\n".join([f"{found.table.text()}\n", *findings, last])


def _json(subject: Subject, found: _Found, wrong: list[Proof], code: int) -> str:
    from pinproof.running.plain import plain, to_json
    from pinproof.scenario.writer import write_scenario

    return to_json(
        {
            "apiVersion": "pinproof/v1alpha1",
            "kind": "Permutations",
            "subject": {"name": subject.name, "version": subject.version},
            found.what: found.count,
            "outcomes": [dict(zip(found.table.head, row, strict=True)) for row in found.table.rows],
            "wrong": [
                {"scenario": write_scenario(proof.scenario), "judgement": plain(proof.judgement)} for proof in wrong
            ],
            "exitCode": code,
        }
    )

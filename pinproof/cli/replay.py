"""`pinproof replay`: saved scenarios on a subject, judged, with the differences."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinproof.running.examine import Proof
    from pinproof.subjects.protocol import Subject

DEFAULT_SUBJECT = "kubelet:1.36.3"
ARTEFACT_LINES = 40


def add_parser(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay", help="run saved scenarios, judge them, print the difference", description=__doc__
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a scenario file")
    parser.add_argument(
        "--subject", metavar="S", default=DEFAULT_SUBJECT, help=f"what to test (default {DEFAULT_SUBJECT})"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument("--history", action="store_true", help="print what was seen after every step as well")
    parser.add_argument("--slow", metavar="N", type=float, default=1.0, help="stretch every wait")
    parser.set_defaults(run=replay)


def replay(options: argparse.Namespace) -> int:
    """Run the command; returns 0 when all passed, 1 when one failed, 10 when one has no verdict."""
    from contextlib import closing

    from pinproof.scenario.reader import read_scenario
    from pinproof.subjects.registry import open_subject

    scenarios = [read_scenario(file) for file in options.files]
    with closing(open_subject(options.subject, slow=options.slow)) as subject:
        results = [_result(subject, file, scenario) for file, scenario in zip(options.files, scenarios, strict=True)]
        return _tell(options, subject, results)


class _Result:
    """One file: proof, or why there is none."""

    def __init__(self, file: str, name: str, proof: Proof | None, reason: str = "") -> None:
        self.file = file
        self.name = name
        self.proof = proof
        self.reason = reason

    @property
    def outcome(self) -> Any:
        return self.proof.judgement.outcome if self.proof else "not_applicable"


def _result(subject: Subject, file: str, scenario: Any) -> _Result:
    from pinproof.running.examine import examine
    from pinproof.running.seen import NotObservableError

    try:
        return _Result(file, scenario.name, examine(subject, scenario))
    except NotObservableError as error:
        return _Result(file, scenario.name, None, str(error))


def _tell(options: argparse.Namespace, subject: Subject, results: list[_Result]) -> int:
    from collections import Counter

    from pinproof.judge.lattice import RunSummary, exit_code

    code = exit_code(RunSummary(Counter(result.outcome for result in results), expected=len(results)))
    answer = _json(subject, results, code) if options.json else _text(options, subject, results)
    print(answer, end="")
    return code


def _text(options: argparse.Namespace, subject: Subject, results: list[_Result]) -> str:
    from pinproof.judge.render import render
    from pinproof.running.shown import shown

    parts = []
    for result in results:
        if result.proof is None:
            parts.append(f"{result.name}: not applicable: {result.reason}\n")
            continue
        proof = result.proof
        if options.history:
            parts.append(shown(proof.scenario, proof.observed))
        parts.append(render(proof.judgement, proof.scenario, file=result.file, subject=subject.name))
        parts += [_beginning(name, text) for name, text in sorted(proof.observed.artefacts.items())]
    return "\n".join(parts)


def _beginning(name: str, text: str) -> str:
    """An artefact's name and first lines: of stacks the first is what ran."""
    lines = text.splitlines()
    more = [f"… and {len(lines) - ARTEFACT_LINES} lines more"] if len(lines) > ARTEFACT_LINES else []
    return "\n".join([f"{name}:", *lines[:ARTEFACT_LINES], *more, ""])


def _json(subject: Subject, results: list[_Result], code: int) -> str:
    from dataclasses import replace

    from pinproof.running.plain import plain, to_json

    def entry(result: _Result) -> dict[str, Any]:
        told: dict[str, Any] = {"file": result.file, "name": result.name, "outcome": result.outcome}
        if result.proof is None:
            return told | {"reason": result.reason}
        proof = result.proof
        return told | {
            "judgement": plain(proof.judgement),
            "observed": plain(replace(proof.observed, artefacts={})),
            "predicted": plain(proof.prediction),
        }

    about = {"name": subject.name, "version": subject.version, "properties": dict(subject.properties())}
    return to_json(
        {
            "apiVersion": "pinproof/v1alpha1",
            "kind": "Replay",
            "subject": about,
            "scenarios": [entry(result) for result in results],
            "exitCode": code,
        }
    )

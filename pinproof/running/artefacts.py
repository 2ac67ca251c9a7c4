"""What is kept of a case that did not pass: enough to understand it and to run it again elsewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from pinproof.errors import InputError, Problem
from pinproof.running.examine import Proof
from pinproof.running.plain import to_json

LONGEST_NAME = 150
"""Folder names stay below what file systems take (255 bytes), with room for numbers."""


@runtime_checkable
class Gathers(Protocol):
    """A subject whose logs are fetched when they are wanted, because that takes time."""

    def gather(self) -> Mapping[str, str]:
        """File name → text."""
        ...


def folder_of(case: str) -> str:
    """Name of a case's folder below `failures/`."""
    name = case.removeprefix("suites/").replace("/", ".").replace(".py::", ".")
    return re.sub(r"[^A-Za-z0-9_.+]+", "-", name.replace("~", "+")).strip("-")[:LONGEST_NAME]


def keep(out: Path, case: str, proofs: list[Proof], *, subject: str, logs: Mapping[str, str]) -> Path | None:
    """Write the folder of a case, with one folder inside for each scenario where there are several.

    Of a case that came to no scenario, since there was no subject to run it on, the logs alone are kept.

    Returns:
        The folder, None when there is nothing to keep.

    Raises:
        InputError: the output folder cannot be written.
    """
    if not proofs and not logs:
        return None
    folder = out / "failures" / folder_of(case)
    if not proofs:
        _write(folder, logs)
    for number, proof in enumerate(proofs, start=1):
        place = folder if len(proofs) == 1 else folder / str(number)
        last = proof is proofs[-1]
        _write(place, _files(proof, place=place, subject=subject) | (dict(logs) if last else {}))
    return folder


def _write(place: Path, files: Mapping[str, str]) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / Path(name).name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(place), Problem("", f"cannot be written: {error.strerror or error}")) from error


def scenario_file(folder: Path, proofs: list[Proof]) -> Path:
    """The scenario to replay: that of the first proof with a finding, else the last."""
    if len(proofs) == 1:
        return folder / "scenario.yaml"
    wrong = [number for number, proof in enumerate(proofs, start=1) if proof.judgement.findings]
    return folder / str(wrong[0] if wrong else len(proofs)) / "scenario.yaml"


def replay_command(scenario: Path, subject: str) -> str:
    """The one command that runs it again, with the path as seen from the current folder where that is shorter."""
    here = Path.cwd()
    shown = scenario.relative_to(here) if scenario.is_relative_to(here) else scenario
    return shlex.join(["pinproof", "replay", str(shown), "--subject", subject])


def _files(proof: Proof, *, place: Path, subject: str) -> dict[str, str]:
    from pinproof.judge.render import render
    from pinproof.scenario.writer import write_scenario

    files = dict(proof.observed.artefacts)
    files["scenario.yaml"] = write_scenario(proof.scenario)
    files["observed.json"] = to_json(replace(proof.observed, artefacts={}))
    files["predicted.json"] = to_json(proof.prediction)
    files["diff.txt"] = render(proof.judgement, proof.scenario, file="scenario.yaml", subject=subject)
    states = [seen.state_file for seen in proof.observed.observations if seen.state_file]
    if states:
        files["memory_manager_state.json"] = states[-1]
    command = replay_command(place / "scenario.yaml", subject)
    files["REPRODUCE.md"] = f"# To see it again\n\n    {command}\n\nOr, in this folder:\n\n    {_here(subject)}\n"
    return files


def _here(subject: str) -> str:
    return shlex.join(["pinproof", "replay", "scenario.yaml", "--subject", subject])

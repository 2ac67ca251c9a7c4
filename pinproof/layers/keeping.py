"""The folder of a comparison: what was found, written the moment it is found, and an account of it that is never old.

    OUT/layers.json or diff.json        the document of `--json` so far; "finished" says whether all scenarios were looked at
    OUT/findings/NAME.yaml              the smallest scenario of every sort of finding
                 NAME/                  the kubelet's log and the like
    OUT/incomplete/NAME.yaml            scenarios without a verdict
    OUT/SWITCH.yaml                     of a diff: the smallest scenario of every group

Files appear whole or not at all, so that nothing is lost whenever the command ends.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pinproof.fuzz.campaign_files import write
from pinproof.layers.looks import Incomplete
from pinproof.layers.sorts import Found, size, sort_of
from pinproof.running.plain import to_json
from pinproof.scenario.steps import Scenario
from pinproof.scenario.writer import write_scenario

SECONDS = 2.0
"""The account on disk is never older than that, while something happens."""

Document = Callable[[Mapping[str, Path]], dict[str, Any]]
"""The account as data, given where scenarios were saved."""


class Folder:
    """Keeps what a comparison finds; without a place it keeps nothing."""

    def __init__(self, place: Path | None, name: str) -> None:
        self.files: dict[str, Path] = {}
        """Scenario or switch → its file."""

        self._place = place
        self._name = name
        self._smallest: dict[str, Scenario] = {}
        """Sort of finding → the scenario that is kept."""

        self._written = 0.0

    def finding(self, found: Found, artefacts: Mapping[str, str] | None = None) -> None:
        """Keep the scenario of a finding, unless one of its sort is kept that is as small."""
        if self._place is None:
            return
        sort, scenario = sort_of(found), found.scenario
        known = self._smallest.get(sort)
        if known is not None and size(known) <= size(scenario):
            return
        self._smallest[sort] = scenario
        self._save(scenario, "findings", artefacts or {})
        if known is not None and known.name != scenario.name:
            self._drop(known.name)

    def incomplete(self, look: Incomplete) -> None:
        """Keep a scenario of which not everything was seen."""
        if self._place is not None:
            self._save(look.scenario, "incomplete", look.artefacts)

    def example(self, switch: str, scenario: Scenario) -> None:
        """Keep the smallest scenario of a group."""
        if self._place is not None:
            self._place.mkdir(parents=True, exist_ok=True)
            self.files[switch] = self._place / f"{switch}.yaml"
            write(self.files[switch], write_scenario(scenario))

    def account(self, document: Document, *, finished: bool = False, last: bool = False) -> None:
        """Write the account, if it is time to or the last chance."""
        now = time.monotonic()
        if self._place is None or (not last and now - self._written < SECONDS):
            return
        self._written = now
        self._place.mkdir(parents=True, exist_ok=True)
        write(self._place / f"{self._name}.json", to_json(document(self.files) | {"finished": finished}))

    def _save(self, scenario: Scenario, kind: str, artefacts: Mapping[str, str]) -> None:
        folder = (self._place or Path()) / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in artefacts.items():
            place = folder / scenario.name / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", errors="replace")
        file = self.files[scenario.name] = folder / f"{scenario.name}.yaml"
        write(file, write_scenario(scenario))

    def _drop(self, name: str) -> None:
        file = self.files.pop(name)
        file.unlink()
        shutil.rmtree(file.with_suffix(""), ignore_errors=True)

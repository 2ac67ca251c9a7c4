"""Campaigns on drivers with one bug each: `python -m tests.seeded_campaigns [NAME…]`, or `tox -e seeded-components`.

Each driver is built from the release with one edit of `seeded_components.py`; `pinproof fuzz --seed 1 -n 2 --minutes 2` runs on
it until the first kind of failure that nothing explains and that the plain driver does not show. What was measured is kept
in the folder `--out`, so that a run that was interrupted goes on, and the table of all is written to
`tests/seeded_components.md`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from pinproof import build
from pinproof.fuzz.campaign_document import FindingDocument
from pinproof.fuzz.campaign_files import earlier
from pinproof.fuzz.findings import Signature
from pinproof.fuzz.trial import Bench
from pinproof.ledger import Entry, Ledger, read_ledger
from pinproof.running.facts import facts_of
from pinproof.running.places import shipped
from pinproof.scenario.reader import read_scenario
from pinproof.subjects.registry import open_subject
from tests.seeded_areas import AREAS, RELEASE, Seeded
from tests.seeded_components import SEEDED

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).with_name("seeded_components.md")
SEED = 1
MINUTES = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one bug."""

    name: str
    caught: bool
    seconds: float
    """From the command to the line that tells of the finding, or to the end."""

    scenarios: int
    """Drawn before and with the one that showed it; all that were drawn where none did."""

    steps: int = 0
    pods: int = 0
    shrink_seconds: float = 0.0
    signature: str = ""


@dataclass(slots=True)
class Hunt:
    """The campaign on one driver, which is continued as long as it finds only what the plain driver shows too."""

    seeded: Seeded
    place: Path
    plain: Bench
    ledger: Sequence[Entry]
    """What explains findings of the plain driver."""

    spent: float = 0.0

    def run(self) -> Result:
        """Build, and run until the bug is caught or the time is over."""
        driver = build.component(RELEASE, edits=(self.seeded.edit,))
        if self.place.parent.exists():  # of a run that was interrupted, whose time is not known
            shutil.rmtree(self.place.parent)
        self.place.parent.mkdir(parents=True)
        seen: set[str] = set()
        document = None
        while self.spent < MINUTES * 60:
            self._part(driver)
            document = earlier(self.place)
            if document is None or document.ended not in {"done", "interrupted"}:
                raise SystemExit(
                    f"the campaign in {self.place} failed: {document.ended if document else 'nothing is there'}"
                )
            new = [finding for finding in document.findings if finding.id not in seen]
            for finding in new:
                if not self._plain_shows(finding):
                    return self._caught(finding)
            if not new:
                break
            seen.update(finding.id for finding in new)
        return Result(self.seeded.name, False, round(self.spent, 1), document.done if document else 0)

    def _part(self, driver: Path) -> None:
        """One `pinproof fuzz`, timed up to the line that tells of a finding."""
        left = max(0.05, MINUTES - self.spent / 60)
        began = time.monotonic()
        told = 0.0
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "pinproof", "fuzz", "--subject", f"component:{driver}", "--seed", str(SEED)),
                *("-n", "2", "--minutes", f"{left:.2f}", "--max-findings", "1", "--no-corpus", "--no-confirm"),
                *("--out", str(self.place)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as campaign:
            assert campaign.stderr is not None
            for line in campaign.stderr:
                if not told and line.startswith("pinproof: found in "):
                    told = time.monotonic()
        self.spent += (told or time.monotonic()) - began

    def _plain_shows(self, finding: FindingDocument) -> bool:
        scenario = read_scenario(self.place / finding.folder / "scenario.yaml")
        return self.plain.shows(scenario, Signature(**finding.signature.model_dump()), self.ledger)

    def _caught(self, finding: FindingDocument) -> Result:
        return Result(
            self.seeded.name,
            True,
            round(self.spent, 1),
            finding.first + 1,
            finding.steps,
            finding.pods,
            round(finding.shrink_seconds, 1),
            str(Signature(**finding.signature.model_dump())),
        )


def results(chosen: Iterable[Seeded], out: Path) -> Iterator[Result]:
    """Each as soon as it is known, those of an earlier run from the folder."""
    with closing(open_subject(f"component:{RELEASE}")) as plain:
        ledger = Ledger(read_ledger(shipped("ledger")), facts_of(plain)).entries
        for seeded in chosen:
            digest = hashlib.sha256(repr(seeded.edit).encode()).hexdigest()[:8]
            place = out / f"{seeded.name}-{digest}"
            kept = place / "result.json"
            if not kept.exists():
                result = Hunt(seeded, place / "campaign", Bench(plain), ledger).run()
                kept.write_text(json.dumps(asdict(result), indent=1), encoding="utf-8")
            yield Result(**json.loads(kept.read_text(encoding="utf-8")))


def line(result: Result) -> str:
    """One result for a person who waits."""
    if not result.caught:
        return f"{result.name:26} NOT CAUGHT in {result.scenarios:,} scenarios, {result.seconds} s\n"
    return (
        f"{result.name:26} {result.seconds:6} s {result.scenarios:6} scenarios, {_size(result)} in {result.shrink_seconds} s: "
        f"{result.signature}\n"
    )


def table(found: Sequence[Result]) -> str:
    """The text of `seeded_components.md`."""
    return "\n".join(_table(found)) + "\n"


def _table(found: Sequence[Result]) -> Iterator[str]:
    by_name = {result.name: result for result in found}
    caught = sum(result.caught for result in found)
    yield f"# {caught} of {len(found)} seeded bugs are caught"
    yield ""
    yield (
        f"Written by `python -m tests.seeded_campaigns`: release {RELEASE} with one edit each (`seeded_components.py`), "
        f"`pinproof fuzz --seed {SEED} -n 2 --minutes {MINUTES:g}`. Seconds are from the command to the first finding, start "
        "included, then those of shrinking it; what else the machine does meanwhile counts against them."
    )
    for area in AREAS:
        yield from ("", f"## {area.capitalize()}", "")
        yield "| bug | what it does wrong | seconds | scenarios | shrunk to | in | first finding |"
        yield "|---|---|--:|--:|---|--:|---|"
        yield from (_row(seeded, by_name.get(seeded.name)) for seeded in SEEDED if seeded.area == area)


def _row(seeded: Seeded, result: Result | None) -> str:
    if result is None:
        return f"| {seeded.name} | {seeded.slip} | not run | | | | |"
    if not result.caught:
        return f"| {seeded.name} | {seeded.slip} | **not caught** | {result.scenarios} | | | |"
    said = result.signature.replace("|", "\\|")
    return (
        f"| {seeded.name} | {seeded.slip} | {result.seconds} | {result.scenarios} | {_size(result)} "
        f"| {result.shrink_seconds} s | `{said}` |"
    )


def _size(result: Result) -> str:
    steps, pods = result.steps, result.pods
    return f"{steps} step{'s' * (steps != 1)}, {pods} pod{'s' * (pods != 1)}"


def main() -> int:
    """Run the command; 1 when a bug was not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help="bugs (default: all, and the table is written)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("out/seeded"), help="default: out/seeded")
    options = parser.parse_args()
    chosen = [seeded for seeded in SEEDED if not options.names or seeded.name in options.names]
    found = []
    for result in results(chosen, options.out):
        sys.stdout.write(line(result))
        sys.stdout.flush()
        found.append(result)
    if not options.names:
        TABLE.write_text(table(found), encoding="utf-8")
    return 0 if all(result.caught for result in found) else 1


if __name__ == "__main__":
    sys.exit(main())

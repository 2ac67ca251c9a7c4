"""Campaigns on wrong models: what is found is a function of the seed, it is kept at once, and a campaign can go on later."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import pinproof
from pinproof.errors import InputError
from pinproof.fuzz import campaign_document
from pinproof.fuzz.session import Wishes, hold
from pinproof.history import History
from pinproof.running.examine import examine
from pinproof.scenario.reader import read_scenario
from pinproof.scenario.steps import Restart, Scenario
from pinproof.subjects.protocol import Subject
from pinproof.subjects.reference import ReferenceSubject
from tests.wrong_subject import WrongSubject, open_wrong

ROOT = Path(pinproof.__file__).parent.parent
BUG = "wrong:removal gives back at once"


def wishes(out: Path, **more: Any) -> Wishes:
    """A small campaign in this process that neither shrinks nor explains."""
    empty = out.parent / "ledger.yaml"
    empty.write_text("{apiVersion: pinproof/v1alpha1, kind: Ledger}")
    given: dict[str, Any] = {"subject": BUG, "seed": 1, "scenarios": 30, "workers": 0, "shrink": False, "ledger": empty}
    return Wishes(out=out, **(given | more))


def document(out: Path) -> Any:
    """The campaign as it was saved."""
    return json.loads((out / "campaign.json").read_text())


def told(out: Path) -> Any:
    """What a campaign found, with all that does not depend on time and place."""
    saved = document(out)
    findings = [
        {name: value for name, value in found.items() if name not in {"replay", "shrinkSeconds"}}
        for found in saved["findings"]
    ]
    return findings, saved["counts"], saved["done"], saved["decisions"]


def test_findings_depend_on_the_seed_alone(tmp_path: Path) -> None:
    """One worker in this process and three processes tell the same, in the same order."""
    codes = [
        hold(wishes(tmp_path / str(workers), workers=workers, scenarios=120, shrink=True), open_=open_wrong)
        for workers in (0, 3)
    ]

    assert [1, 1] == codes
    assert told(tmp_path / "0") == told(tmp_path / "3")


def test_every_finding_replays(tmp_path: Path) -> None:
    """The saved scenario is read back and fails; beside it lie both histories, the difference and the command."""
    hold(wishes(tmp_path / "out", shrink=True), open_=open_wrong)
    findings = document(tmp_path / "out")["findings"]

    assert findings
    for found in findings:
        folder = tmp_path / "out" / found["folder"]
        proof = examine(open_wrong(BUG), read_scenario(folder / "scenario.yaml"))
        assert "failed" == proof.judgement.outcome
        assert {"predicted.json", "observed.json", "difference.txt", "replay.txt"} <= {f.name for f in folder.iterdir()}
        assert found["replay"] == (folder / "replay.txt").read_text().strip()


def test_right_model_has_no_difference(tmp_path: Path) -> None:
    """The reference agrees with itself: all it can be found to do is what no release may, and the ledger knows of that."""
    hold(wishes(tmp_path / "out", subject="reference"), open_=open_wrong)

    assert [] == [f for f in document(tmp_path / "out")["findings"] if f["signature"]["oracle"] != "required"]


def test_campaign_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """In two parts or in one, the same scenarios are counted once."""
    hold(wishes(tmp_path / "parts", scenarios=12), open_=open_wrong)
    hold(wishes(tmp_path / "parts", scenarios=30, seed=None, subject=None), open_=open_wrong)
    hold(wishes(tmp_path / "whole", scenarios=30), open_=open_wrong)

    assert told(tmp_path / "whole") == told(tmp_path / "parts")


def test_what_an_interruption_left_uncounted_is_met_again(tmp_path: Path) -> None:
    """Found, kept, and then counted once, as if nobody had interrupted."""
    run, runs = WrongSubject.run, itertools.count()

    def interrupted(subject: WrongSubject, scenario: Scenario) -> History:
        if next(runs) == 20:
            raise KeyboardInterrupt
        return run(subject, scenario)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WrongSubject, "run", interrupted)
        code = hold(wishes(tmp_path / "parts"), open_=open_wrong)
    kept = document(tmp_path / "parts")
    hold(wishes(tmp_path / "parts"), open_=open_wrong)
    hold(wishes(tmp_path / "whole"), open_=open_wrong)

    assert (130, "interrupted", 0) == (code, kept["ended"], kept["done"])
    assert kept["findings"]
    assert told(tmp_path / "whole") == told(tmp_path / "parts")


@pytest.mark.parametrize("other", [{"seed": 2}, {"subject": "wrong:wrong reason"}])
def test_another_campaign_does_not_go_on_there(tmp_path: Path, other: dict[str, Any]) -> None:
    """Another seed or subject is refused, and the remedy is told."""
    hold(wishes(tmp_path / "out", scenarios=1), open_=open_wrong)

    with pytest.raises(InputError, match="name another folder with --out"):
        hold(wishes(tmp_path / "out", **other), open_=open_wrong)


class Raising(ReferenceSubject):
    """A driver that dies over every restart, with a stack."""

    def run(self, scenario: Scenario) -> History:
        """The history ends before the first restart."""
        history = super().run(scenario)
        if not any(isinstance(step, Restart) for step in scenario.steps):
            return history
        trouble = "panic: boom\n\ngoroutine 1 [running]:\nk8s.io/kubernetes/pkg/kubelet/cm.(*m).Start(0xc0)\n"
        return replace(history, observations=history.observations[:1], complete=False, trouble=trouble)


def open_raising(spec: str) -> Subject:
    """Whatever it is called."""
    del spec
    return Raising()


def test_driver_that_dies_is_a_finding(tmp_path: Path) -> None:
    """It is known by the top of its stack, and the campaign goes on; without a verdict it cannot be green."""
    code = hold(wishes(tmp_path / "out", scenarios=60), open_=open_raising)
    saved = document(tmp_path / "out")

    assert 60 == saved["done"]
    assert ["k8s.io/kubernetes/pkg/kubelet/cm.(*m).Start"] == [
        found["signature"]["said"] for found in saved["findings"] if found["signature"]["oracle"] == "trouble"
    ]
    assert code in {1, 10}


def test_what_the_ledger_explains_is_counted(tmp_path: Path) -> None:
    """An explained finding is no finding of the campaign, but it is not silent either."""
    entry = """
    apiVersion: pinproof/v1alpha1
    kind: Ledger
    entries:
    - finding: I-7
      subject: {kind: reference}
      link: https://github.com/kubernetes/kubernetes/issues/132020
      message: since the pod is no longer active
      added: 2026-11-22
      reason: Before 1.34 PodResources lists pods that have ended.
    """
    ledger = tmp_path / "known.yaml"
    ledger.write_text(entry)
    for name, path in (("without", None), ("with", ledger)):
        more = {"ledger": path} if path else {}
        hold(wishes(tmp_path / name, subject="reference:1.33", scenarios=60, **more), open_=open_wrong)

    unexplained = {
        found["signature"]["requirement"]: found["times"] for found in document(tmp_path / "without")["findings"]
    }
    (explained,) = document(tmp_path / "with")["explained"]
    assert "I-7" in unexplained
    assert "I-7" == explained["finding"]
    assert "I-7" not in {found["signature"]["requirement"] for found in document(tmp_path / "with")["findings"]}
    assert explained["times"] >= unexplained["I-7"]


def test_corpus_is_replayed_first(tmp_path: Path) -> None:
    """What reached something new is kept, tried before anything is drawn, and weeded out where it adds nothing."""
    corpus = tmp_path / "corpus"
    hold(wishes(tmp_path / "first", corpus=corpus), open_=open_wrong)
    kept = len(list(corpus.glob("*.yaml")))
    hold(wishes(tmp_path / "second", corpus=corpus, seed=2), open_=open_wrong)

    assert 0 < kept <= 30
    assert kept == document(tmp_path / "second")["corpus"]
    assert any(found["first"] < 0 for found in document(tmp_path / "second")["findings"])


def test_bound_on_findings_ends_a_campaign(tmp_path: Path) -> None:
    """A subject that is broken in every scenario need not be run for hours to know it."""
    hold(wishes(tmp_path / "out", scenarios=100_000, max_findings=1), open_=open_wrong)

    assert document(tmp_path / "out")["done"] < 1000


def wait_for_findings(out: Path, process: subprocess.Popen[bytes]) -> None:
    """Until something was found and written."""
    deadline = time.monotonic() + 60
    while not list(out.glob("findings/*/replay.txt")):
        assert process.poll() is None, "the campaign ended by itself"
        assert time.monotonic() < deadline, "nothing was found in a minute"
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


def wait_for_the_last(session: int) -> None:
    """Until no process of the session is left; those of Python's own notice a moment later that their parent is gone."""
    deadline = time.monotonic() + 10
    while subprocess.run(["ps", "-o", "pid=", "-s", str(session)], capture_output=True, check=False).stdout.strip():
        assert time.monotonic() < deadline, "a process was left behind"


def test_interrupted_campaign_keeps_what_it_found(tmp_path: Path) -> None:
    """Ctrl-C: exit code 130 at once, findings and progress on disk, no process left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fuzz.test_campaign", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for_findings(tmp_path / "out", process)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=30)

    assert 130 == process.returncode
    assert "interrupted" == document(tmp_path / "out")["ended"]
    assert document(tmp_path / "out")["findings"]
    wait_for_the_last(process.pid)


def test_committed_schema_is_generated() -> None:
    """`python -m pinproof.fuzz.campaign_document > schemas/campaign.json` was run after the last change."""
    assert campaign_document.schema() == (ROOT / "schemas" / "campaign.json").read_text()


def test_document_fits_its_schema(tmp_path: Path) -> None:
    """What a campaign saves is what the schema says."""
    hold(wishes(tmp_path / "out"), open_=open_wrong)
    schema = json.loads((ROOT / "schemas" / "campaign.json").read_text())

    jsonschema.Draft202012Validator(schema).validate(document(tmp_path / "out"))


if __name__ == "__main__":
    # A campaign without an end, in two processes, for the test that interrupts it.
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs tests in the background ignores it
    sys.exit(hold(wishes(Path(sys.argv[1]), scenarios=None, workers=2), open_=open_wrong))

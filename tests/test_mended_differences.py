"""Scenarios in which a campaign found the reference wrong, shrunk, each once mended: managers and reference agree on them.

What each is about is in its name; the files are replayed like any other: `pinproof replay fixtures/mended/NAME.yaml --subject
component:1.36.3`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pinproof.running.examine import examine
from pinproof.scenario.reader import read_scenario
from pinproof.subjects.protocol import Subject
from pinproof.subjects.registry import open_subject

FILES = sorted((Path(__file__).parents[1] / "fixtures" / "mended").glob("*.yaml"))


@pytest.fixture(scope="module")
def managers() -> Iterator[Subject]:
    """The managers of the default release."""
    with closing(open_subject("component:1.36.3")) as subject:
        yield subject


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_reference_was_mended(managers: Subject, file: Path) -> None:
    """No difference from the model is left; what is required may be broken, since some show defects."""
    judgement = examine(managers, read_scenario(file)).judgement

    assert "" == judgement.trouble
    assert [] == [finding for finding in judgement.findings if finding.oracle == "modelled"]

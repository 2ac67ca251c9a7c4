"""The page on version skew: what is measured, and that the committed page is what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pinproof
from pinproof.build import KNOWN_RELEASES
from pinproof.build.components import COMPONENT_RELEASES
from pinproof.errors import SubjectError
from pinproof.history import History
from pinproof.reference.behaviour import behaviour_of
from pinproof.scenario.steps import Scenario
from pinproof.skew.golden import Writer
from pinproof.skew.measuring import Measured, measure, neighbours
from pinproof.skew.table import PAGES, SUBJECTS, page
from pinproof.subjects.reference import ReferenceSubject

ROOT = Path(pinproof.__file__).parent.parent
OLD, NEW = Writer("1.35.4"), Writer("1.36.3", managed=True)


def quiet(text: str) -> None:
    """Progress that nobody sees."""
    del text


@pytest.mark.parametrize(("kind", "releases"), [("component", COMPONENT_RELEASES), ("kubelet", KNOWN_RELEASES)])
def test_the_committed_pages_are_what_the_reference_predicts(kind: str, releases: Sequence[str]) -> None:
    """They were measured on managers and kubelets; the reference comes to the same in every cell."""
    ordered = sorted(releases, key=lambda release: [int(part) for part in release.split(".")])
    measured = measure(ordered, lambda release: ReferenceSubject(behaviour_of(release).minor), quiet)
    committed = (ROOT / PAGES[kind]).read_text(encoding="utf-8")
    command, subject = f"pinproof checkpoints table --subject {kind}", SUBJECTS[kind].format(", ".join(ordered))

    assert page(measured, command=command, subject=subject) == committed


class Wrong(ReferenceSubject):
    """Starts on every file, with nothing in its books."""

    def run(self, scenario: Scenario) -> History:
        """As the reference, but what is assigned is not shown."""
        history = super().run(scenario)
        empty: Mapping[str, Any] = {"assignments": {}, "pod_assignments": {}}
        return replace(history, observations=tuple(replace(each, **empty) for each in history.observations))


def test_a_kubelet_that_starts_without_the_assignments_is_seen() -> None:
    """It would be in the page as such."""
    measured = measure(["1.32.2"], lambda release: Wrong("1.32"), quiet)
    cell = measured.memory[OLD, Writer("1.32.2")]

    assert {"no-pods", "policy-none"} == {name for name, word in cell.items() if word == "same"}
    assert "other assignments" == cell["single-node"]
    assert "2 of 7; group, hugepages, init-container, sidecar, single-node: other assignments" in page(
        measured, command="c", subject="s"
    )


class Broken(ReferenceSubject):
    """Does not get to the end."""

    def run(self, scenario: Scenario) -> History:
        """Nothing but the start."""
        history = super().run(scenario)
        return replace(history, observations=history.observations[:1], complete=False, trouble="it hung")


def test_what_was_not_seen_to_the_end_is_no_measurement() -> None:
    """There is no page then."""
    with pytest.raises(SubjectError, match="did not carry group out: it hung"):
        measure(["1.32.2"], lambda release: Broken("1.32"), quiet)


def test_neighbours_are_two_minors_away_at_most() -> None:
    """And the same release with the other gate, where it has one."""
    every = [Writer("1.33.13"), Writer("1.34.4"), OLD, Writer("1.36.3"), NEW, Writer("1.37.1")]

    assert [Writer("1.34.4"), OLD, Writer("1.36.3"), Writer("1.37.1")] == neighbours(NEW, every)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ({"a": "same", "b": "same"}, "all 2"),
        ({"a": "corrupted", "b": "corrupted"}, "none of 2: corrupted"),
        ({"a": "same", "b": "other books"}, "1 of 2; b: other books"),
        ({"a": "corrupted", "b": "not readable"}, "0 of 2; a: corrupted; b: not readable"),
    ],
)
def test_cells(cell: Mapping[str, str], words: str) -> None:
    """How many are the same, and what the others are."""
    text = page(Measured((NEW,), {(OLD, NEW): cell}, {}, {}), command="c", subject="s")

    assert f"| 1.35.4 | {words} |" in text

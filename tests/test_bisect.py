"""`pinproof bisect`: since when a scenario turns out differently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pinproof.cli.main import main
from pinproof.errors import CaptureError, InputError
from pinproof.history import History
from pinproof.layers.bisecting import Bisection, Bisector, By
from pinproof.layers.ranges import subjects_of
from pinproof.scenario.steps import Admit, Scenario
from pinproof.scenario.topologies import machine
from pinproof.scenario.writer import write_scenario
from pinproof.subjects.protocol import Subject
from pinproof.subjects.reference import ReferenceSubject
from pinproof.suite import guaranteed, static

TWO = machine("two_even")
PODS = (Admit(guaranteed("a", memory="4Gi")), Admit(guaranteed("b", memory="15Gi")))
REFUSED_SINCE_132 = Scenario("meet", TWO, static(topology="best-effort")(TWO), PODS)
"""A node serves a pod by itself, and is then asked to serve another together with its neighbour."""

EVER_THE_SAME = Scenario("fits", TWO, static()(TWO), PODS[:1])


def bisect(
    *subjects: str, scenario: Scenario = REFUSED_SINCE_132, by: By = "history", everything: bool = False
) -> Bisection:
    """Over references of these minors."""
    bisector = Bisector(scenario, subjects, by=by, open_=ReferenceSubject)
    return bisector.search(everything=everything)


def test_the_first_that_differs_is_named() -> None:
    """With what differs, and the switch that explains it."""
    found = bisect("1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")

    assert 3 == found.first
    assert "pods.b" == found.differences[0].path
    assert ["allocate_refuses_group_violation"] == [effect.switch for effect in found.switches]


def test_nine_subjects_take_five_looks() -> None:
    """Both ends, and then halves."""
    found = bisect("1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")

    assert 5 == len(found.looks)


def test_nothing_differs_between_equals() -> None:
    """And then only the ends are looked at."""
    found = bisect("1.34", "1.35", "1.36", scenario=EVER_THE_SAME)

    assert (None, [2, 0]) == (found.first, sorted(found.looks, reverse=True))


def test_all_are_looked_at_when_asked() -> None:
    """A later one that is as the first again is noticed then, and only then."""
    found = bisect("1.31", "1.32", "1.31", "1.33", everything=True)

    assert [False, True, False, True] == [found.differs[position] for position in range(4)]
    assert not found.monotonic


def test_a_difference_that_is_over_at_the_end_is_none() -> None:
    """Where not all are looked at."""
    assert bisect("1.31", "1.32", "1.31").first is None


def test_outcomes_are_compared_when_asked() -> None:
    """The known defect of old minors breaks what is required of every release."""
    found = bisect("1.31", "1.32", "1.36", by="outcome")

    assert 1 == found.first
    assert ["failed", "passed"] == [found.looks[position].outcome for position in (0, 1)]


class Half(ReferenceSubject):
    """Of which not everything is seen."""

    def run(self, scenario: Scenario) -> History:
        """Nothing at all."""
        return History(self.name, (), complete=False, trouble="it fell over")


def test_a_subject_that_was_not_seen_wholly_ends_the_search() -> None:
    """It is neither like the first nor unlike it."""
    with pytest.raises(CaptureError, match="it fell over"):
        Bisector(EVER_THE_SAME, ("1.35", "1.36"), by="history", open_=Half).search()


def test_every_subject_is_closed() -> None:
    """Before the next is opened: two kubelets are one too many."""
    alive: list[str] = []

    class Counted(ReferenceSubject):
        def __init__(self, minor: str) -> None:
            super().__init__(minor)
            assert not alive
            alive.append(self.name)

        def close(self) -> None:
            alive.remove(self.name)

    def open_(minor: str) -> Subject:
        return Counted(minor)

    Bisector(EVER_THE_SAME, ("1.34", "1.35", "1.36"), by="history", open_=open_).search(everything=True)

    assert not alive


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("reference:1.35..1.37", ("reference:1.35", "reference:1.36", "reference:1.37")),
        ("component:1.31..1.33", ("component:1.31.0", "component:1.32.2", "component:1.33.13")),
        ("component:1.31.9..1.32.2", ("component:1.31.9", "component:1.32.2")),
        ("kubelet:../a, kubelet:../b", ("kubelet:../a", "kubelet:../b")),
        ("kubelet:1.36.3,kubelet:~/src/kubernetes", ("kubelet:1.36.3", "kubelet:~/src/kubernetes")),
    ],
)
def test_a_range_is_every_known_release_in_between(text: str, subjects: tuple[str, ...]) -> None:
    """Minors for the reference; paths are left alone."""
    assert subjects == subjects_of(text)


@pytest.mark.parametrize("text", ["reference:1.36", "reference:1.37..1.29", ""])
def test_a_list_of_less_than_two_is_refused(text: str) -> None:
    """One alone cannot differ."""
    with pytest.raises(InputError):
        subjects_of(text)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The scenario that 1.32 changed."""
    path = tmp_path / "meet.yaml"
    path.write_text(write_scenario(REFUSED_SINCE_132), encoding="utf-8")
    return str(path)


def test_the_command_names_the_first(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, as of something that differs."""
    code = main(["bisect", file, "--subjects", "reference:1.30..1.33"])

    told = capsys.readouterr().out
    assert 1 == code
    assert "first that differs: reference:1.32\n" in told
    assert "  explained by allocate_refuses_group_violation: A multi-node mask" in told


def test_the_command_prints_one_document(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else; exit 0 where nothing differs."""
    code = main(["bisect", file, "--subjects=reference:1.35..1.37", "--all", "--json"])

    document = json.loads(capsys.readouterr().out)
    assert (0, "Bisection", None) == (code, document["kind"], document["firstDifferent"])
    assert ["as the first"] * 3 == [subject["is"] for subject in document["subjects"]]

"""What is drawn is a scenario: a file can hold it, the reference can predict it, and it is worth running."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import pytest
from hypothesis import given, settings

from pinproof.fuzz.draws import Odds, RandomDraws
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.scenarios import draw_course, draw_scenario, draw_setting
from pinproof.fuzz.statistics import UNREACHABLE, statistics
from pinproof.fuzz.strategies import scenarios
from pinproof.reference.behaviour import MINORS, behaviour_of
from pinproof.reference.decisions import DECISIONS, Reached, decided_by_memory
from pinproof.reference.model import predict
from pinproof.scenario.config import KubeletConfig, MemoryReservation
from pinproof.scenario.quantity import Quantity
from pinproof.scenario.reader import parse_scenario
from pinproof.scenario.steps import Admit, Restart, Scenario
from pinproof.scenario.writer import write_scenario
from pinproof.subjects.protocol import ADMIT_HINTS, MACHINE_WINDOWS, Capabilities
from pinproof.subjects.reference import ReferenceSubject
from tests.reference_values import container, pod

T = TypeVar("T")

EVERYTHING = ReferenceSubject().capabilities.steps | {ADMIT_HINTS, MACHINE_WINDOWS}


def everything(minor: str) -> Profile:
    """All that the grammar has for a release, restarts into other releases included."""
    others = ("1.31.0", "1.35.4", "1.37.1")
    return Profile.of(minor, Capabilities(frozenset(), EVERYTHING), releases=others)


class Simplest:
    """Always takes the simplest."""

    def integer(self, low: int, high: int) -> int:
        return low

    def pick(self, options: Sequence[T]) -> T:
        return options[0]

    def weigh(self, odds: Odds[T]) -> T:
        return odds.at(0)

    def chance(self, percent: float) -> bool:
        return percent >= 100

    def shuffled(self, items: Sequence[T]) -> tuple[T, ...]:
        return tuple(items)

    def part(self, make: Callable[[], T]) -> T:
        return make()


def drawn(profile: Profile, many: int, *, seed: int = 1) -> Iterator[Scenario]:
    """The scenarios of a small campaign."""
    return (
        draw_scenario(RandomDraws.of(seed=seed, number=number), name=f"{seed}-{number}", profile=profile)
        for number in range(many)
    )


@pytest.mark.parametrize("minor", MINORS)
def test_a_file_can_hold_what_is_drawn(minor: str) -> None:
    """The reader refuses nothing that is written, and reads back the same values and the same spelling."""
    for scenario in drawn(everything(minor), 60):
        text = write_scenario(scenario)

        read = parse_scenario(text)

        assert scenario == read
        assert text == write_scenario(read)


@pytest.mark.parametrize("minor", MINORS)
def test_the_reference_can_predict_what_is_drawn(minor: str) -> None:
    """No state file is edited that is not there, and no machine or course is too large."""
    behaviour = behaviour_of(minor)

    predictions = [predict(scenario, behaviour, texts=False) for scenario in drawn(everything(minor), 300, seed=2)]

    assert all(prediction.histories for prediction in predictions)


@settings(max_examples=60)
@given(scenarios(profile=everything("1.36")))
def test_hypothesis_draws_from_the_same_grammar(scenario: Scenario) -> None:
    """Whatever Hypothesis makes of it holds as well."""
    assert scenario == parse_scenario(write_scenario(scenario))
    assert predict(scenario, behaviour_of("1.36"), texts=False).histories


def test_the_simplest_options_stand_first() -> None:
    """What everything shrinks towards: one node, nothing special about it, and one small pod."""
    simplest = draw_scenario(Simplest(), name="a", profile=everything("1.36"))

    assert 1 == len(simplest.machine.nodes)
    assert (
        KubeletConfig(
            memory_manager_policy="Static",
            reserved_memory=(MemoryReservation(0, (("memory", Quantity.parse("256Mi")),)),),
            kube_reserved=(("memory", "156Mi"),),
        )
        == simplest.kubelet
    )
    assert (Admit(pod("p1", container("c0", memory="64Mi"))),) == simplest.steps


def test_a_release_is_given_what_it_has() -> None:
    """A kubelet of 1.29 meets no pod-level resources, no hints of others and no other release."""
    kubelet = Profile.of("1.29.6", Capabilities(frozenset(), frozenset({"admit", "restart", "restart.signal"})))

    steps = [step for scenario in drawn(kubelet, 500) for step in scenario.steps]
    restarts = [step for step in steps if isinstance(step, Restart)]

    assert {"TERM", "KILL"} == {step.signal for step in restarts}
    assert all(step == Restart(signal=step.signal) for step in restarts)
    assert not any(scenario.machine.os == "windows" for scenario in drawn(kubelet, 500))
    assert {()} == {scenario.kubelet.feature_gates for scenario in drawn(kubelet, 500)}


def test_one_setting_serves_many_courses() -> None:
    """A kubelet that was booted for a machine and a configuration can be given one course after another."""
    setting = draw_setting(RandomDraws.of(seed=1, number=1))

    courses = [draw_course(RandomDraws.of(seed=1, number=n), setting, name="a") for n in range(5)]

    assert 1 == len({(course.machine, course.kubelet) for course in courses})
    assert 5 == len({course.steps for course in courses})


def test_every_decision_is_reached_within_twenty_thousand_scenarios() -> None:
    """All releases together, the same number of each; and at least two of five admissions are decided by memory."""
    reached, drawn, each = Reached(), 0, 150
    while drawn < 20_000 and not reached.keys() >= DECISIONS.keys() - UNREACHABLE.keys():
        for minor in MINORS:
            reached.update(statistics(each, seed=drawn, profile=everything(minor)).reached)
            drawn += each

    assert set() == DECISIONS.keys() - UNREACHABLE.keys() - reached.keys()
    assert decided_by_memory(reached) >= 0.4


def test_what_cannot_be_reached_is_a_decision_and_is_not_reached() -> None:
    """The list of exceptions has no stale entry."""
    figures = statistics(300, profile=everything("1.36"))

    assert UNREACHABLE.keys() <= DECISIONS.keys()
    assert UNREACHABLE.keys().isdisjoint(figures.reached)
    assert UNREACHABLE.keys().isdisjoint(figures.missed)


def test_statistics_say_what_was_drawn() -> None:
    """Figures for whoever tunes the grammar: how fast, how much memory decides, what was missed, and how often what was drawn."""
    lines = statistics(40, profile=everything("1.36")).render().splitlines()

    assert lines[0].startswith("40 scenarios: ")
    assert lines[1].startswith("decided by memory: ")
    assert lines[2].startswith("decisions reached: ")
    assert {"nodes", "steps", "outcomes", "QoS class"} <= {line.partition(":")[0] for line in lines}


def test_what_is_drawn_depends_on_nothing_but_seed_number_and_profile() -> None:
    """Two runs with one seed do the same, and no scenario comes twice."""
    first, again = (list(drawn(everything("1.36"), 50)) for _ in range(2))

    assert first == again
    assert 50 == len({scenario.steps for scenario in first})

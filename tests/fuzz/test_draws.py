"""Choices: the same for the same seed, by weight, and simplest first."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from pinproof.fuzz.amounts import amount
from pinproof.fuzz.draws import Draws, Odds, RandomDraws
from pinproof.fuzz.strategies import HypothesisDraws
from pinproof.scenario.quantity import Quantity

LETTERS = Odds(("a", 1), ("b", 0), ("c", 3))


def some(draws: Draws) -> tuple[object, ...]:
    """One choice of each kind."""
    return (
        draws.integer(0, 10**12),
        draws.pick("abc"),
        draws.weigh(LETTERS),
        draws.chance(50),
        draws.shuffled((1, 2, 3)),
    )


def test_a_scenario_of_a_campaign_has_draws_of_its_own() -> None:
    """Seed and number decide every choice; another number decides otherwise."""
    drawn = {some(RandomDraws.of(seed=3, number=number)) for number in (1, 1, 2)}

    assert 2 == len(drawn)


def test_an_option_is_chosen_by_its_weight() -> None:
    """Every whole number below the total stands for one option; one of weight 0 has none."""
    assert ["a", "c", "c", "c"] == [LETTERS.at(number) for number in range(LETTERS.total)]


def test_weights_hold_for_random_draws() -> None:
    """Three of four draws give the option of weight 3, give or take a few of a hundred."""
    draws = RandomDraws.of(seed=1, number=1)

    share = sum(draws.weigh(LETTERS) == "c" for _ in range(4000)) / 4000

    assert pytest.approx(0.75, abs=0.03) == share


@pytest.mark.parametrize(("percent", "expected"), [(0, {False}), (100, {True}), (50, {False, True})])
def test_chance_is_a_percentage(percent: float, expected: set[bool]) -> None:
    """0 is never, 100 is always."""
    draws = RandomDraws.of(seed=1, number=1)

    assert expected == {draws.chance(percent) for _ in range(200)}


def test_whole_numbers_include_both_ends() -> None:
    """As in the protocol."""
    draws = RandomDraws.of(seed=1, number=1)

    assert {3, 4, 5} == {draws.integer(3, 5) for _ in range(200)}


def test_hypothesis_shrinks_towards_the_simplest() -> None:
    """The smallest example of anything is the first option, the low end, no chance, the given order."""

    @st.composite
    def choices(draw: st.DrawFn) -> tuple[object, ...]:
        return some(HypothesisDraws(draw))

    assert (0, "a", "a", False, (1, 2, 3)) == find(choices(), lambda _: True)


@given(st.integers(0, 2**42) | st.integers(0, 2**20).map(lambda pages: pages << 21))
def test_an_amount_is_what_its_text_reads_as(size: int) -> None:
    """Not only equal: format and scale decide the kubelet's texts, so they are the same as after a file was read."""
    drawn = amount(size)

    assert astuple(Quantity.parse(drawn.written)) == astuple(drawn)

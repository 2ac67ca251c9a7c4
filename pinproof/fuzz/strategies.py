"""The grammar of scenarios as a Hypothesis strategy, for tests with `@given`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from pinproof.fuzz.draws import Odds
from pinproof.fuzz.profile import Profile
from pinproof.fuzz.scenarios import draw_scenario
from pinproof.scenario.steps import Scenario

T = TypeVar("T")


class HypothesisDraws:
    """Draws from a Hypothesis test; every choice shrinks towards the simplest."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        """Shrinks to `low`."""
        return int(self._draw(st.integers(low, high)))

    def pick(self, options: Sequence[T]) -> T:
        """Shrinks to the first."""
        return options[self.integer(0, len(options) - 1)]

    def weigh(self, odds: Odds[T]) -> T:
        """Shrinks to the first."""
        return odds.at(self.integer(0, odds.total - 1))

    def chance(self, percent: float) -> bool:
        """Shrinks to False."""
        finer = 1 if percent >= 1 else 1000
        return self.integer(1, 100 * finer) > (100 - percent) * finer

    def shuffled(self, items: Sequence[T]) -> tuple[T, ...]:
        """Shrinks to the given order."""
        return tuple(self._draw(st.permutations(items)))

    def part(self, make: Callable[[], T]) -> T:
        """A span of its own, so that Hypothesis tries to leave it out."""
        made: T = self._draw(st.builds(make))
        return made


@st.composite
def scenarios(draw: st.DrawFn, *, profile: Profile | None = None) -> Scenario:
    """Whole scenarios, as campaigns draw them."""
    return draw_scenario(HypothesisDraws(draw), name="drawn", profile=profile or Profile())

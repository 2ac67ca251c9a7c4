"""Where the choices of a drawn scenario come from.

The grammar of scenarios (`machines.py`, `configs.py`, `pods.py`, `courses.py`) asks a `Draws` and knows nothing of who answers:

* `RandomDraws`: Python's generator, for campaigns, where drawing must cost less than running;
* `HypothesisDraws` (`strategies.py`): Hypothesis, for tests with `@given`, where a failure is to be shrunk.

So that the second shrinks well, the grammar names the simplest option first and lets `chance` answer False for "nothing
unusual".

>>> draws = RandomDraws.of(seed=1, number=7)
>>> RandomDraws.of(seed=1, number=7).integer(1, 1000) == draws.integer(1, 1000)
True
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, Protocol, Self, TypeVar

T = TypeVar("T")


class Odds(Generic[T]):
    """Options with weights: whole numbers, of which only the ratio counts."""

    __slots__ = ("_limits", "_options", "total")

    def __init__(self, *weighted: tuple[T, int]) -> None:
        """The simplest option stands first; one of weight 0 is never chosen."""
        possible = [(option, weight) for option, weight in weighted if weight]
        self._options = tuple(option for option, _ in possible)
        self._limits = tuple(accumulate(weight for _, weight in possible))
        self.total = self._limits[-1]

    def at(self, number: int) -> T:
        """The option that a number from 0 to `total - 1` stands for."""
        return self._options[bisect_right(self._limits, number)]


class Draws(Protocol):
    """Somebody who chooses."""

    def integer(self, low: int, high: int) -> int:
        """A whole number, both ends included; `low` is the simplest."""

    def pick(self, options: Sequence[T]) -> T:
        """One of several equals; the first is the simplest."""

    def weigh(self, odds: Odds[T]) -> T:
        """One of several options by their weights."""

    def chance(self, percent: float) -> bool:
        """True in so many cases of a hundred; False is the simplest."""

    def shuffled(self, items: Sequence[T]) -> tuple[T, ...]:
        """The items in some order; theirs is the simplest."""

    def part(self, make: Callable[[], T]) -> T:
        """What `make` draws, as one of several things of a kind, which may be left out when it is simplified."""


class RandomDraws:
    """Draws from Python's generator."""

    __slots__ = ("_random",)

    def __init__(self, random: Random) -> None:
        self._random = random.random

    @classmethod
    def of(cls, *, seed: int, number: int) -> Self:
        """The draws of one scenario of a campaign: the same on every machine, whoever draws it and when."""
        return cls(Random(f"{seed}/{number}"))  # noqa: S311  # chance, not secrets

    def integer(self, low: int, high: int) -> int:
        """Even enough for ranges below 2**53, at half the time of `randint`."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self._random() * len(options))]

    def weigh(self, odds: Odds[T]) -> T:
        """One of the options by weight."""
        return odds.at(int(self._random() * odds.total))

    def chance(self, percent: float) -> bool:
        """Whether the case occurs."""
        return self._random() * 100 < percent

    def shuffled(self, items: Sequence[T]) -> tuple[T, ...]:
        """A random order."""
        return tuple(sorted(items, key=lambda _: self._random()))

    def part(self, make: Callable[[], T]) -> T:
        """Nothing is simplified."""
        return make()

"""The decisions of the reference by name: what a run of many scenarios has to have reached before green means anything.

Code that decides calls `reach("name")` where it takes a branch. Nobody listens unless asked (`ignore`), so that a prediction
does not pay for it. The names are a contract: coverage reports and the corpus of a campaign go by them.

>>> reached = Reached()
>>> reached("hints.preferred")
>>> reached("hints.preferred")
>>> reached["hints.preferred"], reached["hints.none"]
(2, 0)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

Reach = Callable[[str], None]
"""Is told the name of every decision that is taken."""


class Reached(Counter[str]):
    """How often each decision was taken."""

    __slots__ = ()

    def __call__(self, name: str) -> None:
        """Count a decision."""
        self[name] = self.get(name, 0) + 1


def ignore(name: str) -> None:
    """For those who do not want to know."""


ADMISSIONS = "admission"
BY_MEMORY = "admission.by-memory"


def decided_by_memory(reached: Mapping[str, int]) -> float:
    """The part of the admissions of arriving pods that memory decided: with boundless memory they had ended otherwise.

    Otherwise is another verdict, or another merged mask, or other nodes for the memory of some container.
    """
    return reached.get(BY_MEMORY, 0) / max(1, reached.get(ADMISSIONS, 0))


DECISIONS: Mapping[str, str] = MappingProxyType({})

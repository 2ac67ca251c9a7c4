"""Which switch of `Behaviour` makes a scenario turn out differently in two minors.

Of the switches in which the minors differ, each is turned back in the newer behaviour and left so where the prediction
stays the same. Those that remain explain the scenario: without any one of them it would turn out differently. Mostly
that is one; where it takes several, all of them are named.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pinproof.judge.compare import Difference
from pinproof.layers.answers import Answer
from pinproof.reference.behaviour import Behaviour

Predict = Callable[[Behaviour], Answer]
"""What a behaviour makes of the scenario in question."""

Differ = Callable[[Answer, Answer], tuple[Difference, ...]]
"""How two predictions differ, as far as it counts."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one switch does to one scenario."""

    switch: str
    differences: tuple[Difference, ...]
    """Between the newer behaviour without this switch and with it."""

    others: tuple[str, ...]
    """Switches that explain other parts of the scenario's difference, or that this one needs."""


def differing(old: Behaviour, new: Behaviour) -> tuple[str, ...]:
    """The switches in which two behaviours differ, in the order of their declaration."""
    return tuple(switch for switch in _switches() if getattr(old, switch) != getattr(new, switch))


def effects(old: Behaviour, new: Behaviour, predict: Predict, differ: Differ) -> tuple[Effect, ...]:
    """What makes a scenario turn out differently under `new` than under `old`; none where it does not."""
    wanted = predict(new)
    current, needed = new, differing(old, new)
    while True:
        current, kept = _reduced(current, needed, old, lambda tried: not differ(predict(tried), wanted))
        if kept == needed:
            break
        needed = kept  # one that depends on another may be spared now that the other is turned back
    return tuple(
        Effect(
            switch,
            differ(predict(_turned_back(current, switch, old)), wanted),
            tuple(other for other in needed if other != switch),
        )
        for switch in needed
    )


def _reduced(
    current: Behaviour, needed: tuple[str, ...], old: Behaviour, same: Callable[[Behaviour], bool]
) -> tuple[Behaviour, tuple[str, ...]]:
    """Every switch turned back that can be; the switches that cannot."""
    kept = []
    for switch in needed:
        without = _turned_back(current, switch, old)
        if same(without):
            current = without
        else:
            kept.append(switch)
    return current, tuple(kept)


def _turned_back(behaviour: Behaviour, switch: str, old: Behaviour) -> Behaviour:
    # Only one name is given, and its value is that of another Behaviour.
    return replace(behaviour, **{switch: getattr(old, switch)})


def sentence(switch: str) -> str:
    """The first sentence on a switch, which names the release and the pull request."""
    return next(iter(_docstrings()[switch].split(". "))).rstrip(".")


@cache
def _switches() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Behaviour) if field.name != "minor")


@cache
def _docstrings() -> dict[str, str]:
    """What stands below each switch; Python does not keep it."""
    (body,) = (
        node.body for node in ast.parse(dedent(inspect.getsource(Behaviour))).body if isinstance(node, ast.ClassDef)
    )
    return dict(_documented(body))


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            yield field.target.id, " ".join(str(ast.literal_eval(text.value)).split())

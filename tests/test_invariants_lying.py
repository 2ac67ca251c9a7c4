"""I-12: memory lies where it was promised."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinproof.history import Observation, Pages
from pinproof.judge.invariants import violations
from pinproof.scenario.steps import Exit, Restart, Scenario, Step
from tests.judge_values import ADMITTED, EMPTY, ONE_POD, history, scenario

KIB = 1 << 10
THERE = Pages({0: 512 * KIB}, {}, "0", "0", "0")


def lying(seen: Pages, **more: object) -> Observation:
    """The one pod, which has blocks on node 0 and was told so, with its memory."""
    return replace(ONE_POD, pages={"a": {"c": seen}}, **more)  # type: ignore[arg-type]  # fields of an observation


def broken(*seen: Observation, steps: Scenario = ADMITTED) -> list[str]:
    """Paths at which I-12 is broken."""
    start = replace(EMPTY, pages={})
    return [found.path for _, found in violations(steps, history(start, *seen)) if found.invariant == "I-12"]


def test_memory_on_the_nodes_of_the_blocks_breaks_nothing() -> None:
    assert [] == broken(lying(THERE))


def test_without_a_kernel_nothing_is_said() -> None:
    assert [] == broken(ONE_POD)


@pytest.mark.parametrize(
    ("seen", "paths"),
    [
        pytest.param(THERE._replace(anonymous={0: KIB, 1: KIB}), ["pages.a.c", "pages.a.c"], id="a page elsewhere"),
        pytest.param(THERE._replace(huge={1: 2048 * KIB}), ["pages.a.c", "pages.a.c"], id="a huge page elsewhere"),
        pytest.param(THERE._replace(effective="0-1"), ["pages.a.c.effective"], id="more nodes bind"),
        pytest.param(THERE._replace(allowed="1"), ["pages.a.c.allowed"], id="the process is allowed others"),
    ],
)
def test_a_new_container_has_its_memory_on_its_nodes(seen: Pages, paths: list[str]) -> None:
    """Elsewhere breaks both halves: it is not what was recorded, and not what the runtime was told."""
    assert paths == broken(lying(seen))


@pytest.mark.parametrize(
    ("step", "paths"),
    [
        pytest.param(Restart(), [], id="restart"),
        pytest.param(Restart(signal="POWER"), ["pages.a.c.effective"], id="power cut"),
        pytest.param(Exit("a", "c"), ["pages.a.c.effective"], id="it ended and came back"),
        pytest.param(Exit("a", "d"), [], id="another one did"),
    ],
)
def test_what_binds_is_looked_at_when_a_container_is_made(step: Step, paths: list[str]) -> None:
    later = lying(THERE._replace(effective="0-1"))

    assert paths == broken(lying(THERE), later, steps=scenario(*ADMITTED.steps, step))


def test_a_page_that_comes_later_lies_where_the_runtime_was_told() -> None:
    later = lying(THERE._replace(anonymous={0: KIB, 1: KIB}))

    assert ["pages.a.c"] == broken(lying(THERE), later, steps=scenario(*ADMITTED.steps, Restart()))

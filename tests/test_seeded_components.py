"""Component drivers of 1.36.3 with one bug each are told from the real one by a campaign.

The ordinary run checks the list and what `python -m tests.seeded_campaigns` wrote about it; that command builds each driver
and runs `pinproof fuzz` on it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.seeded_areas import AREAS, Seeded
from tests.seeded_campaigns import TABLE, Result, table
from tests.seeded_components import SEEDED

EVERY = [pytest.param(seeded, id=seeded.name) for seeded in SEEDED]


@pytest.mark.parametrize("seeded", EVERY)
def test_bug_is_one_place_of_the_release(module: Path, seeded: Seeded) -> None:
    """The text to find is there exactly once, and becomes another."""
    text = (module / seeded.edit.path).read_text(encoding="utf-8")

    assert 1 == text.count(seeded.edit.find)
    assert seeded.edit.find != seeded.edit.replace


def test_every_area_has_three_bugs() -> None:
    """The areas are those that are named, and none of them is left to one or two bugs."""
    areas = Counter(seeded.area for seeded in SEEDED)

    assert set(AREAS) == set(areas)
    assert min(areas.values()) >= 3


def test_bugs_go_by_their_names() -> None:
    """No two bugs have a name, or an edit, in common."""
    assert len(SEEDED) == len({seeded.name for seeded in SEEDED})
    assert len(SEEDED) == len({seeded.edit for seeded in SEEDED})


def test_table_tells_of_every_bug_by_area() -> None:
    """Caught or not, a bug has one row, below the heading of its area."""
    seeded = SEEDED[0]
    found = [Result(seeded.name, caught=True, seconds=1.5, scenarios=7, steps=2, pods=1, signature="model: a|b")]

    text = table([*found, Result(SEEDED[-1].name, caught=False, seconds=120.0, scenarios=9000)])

    assert text.startswith("# 1 of 2 seeded bugs are caught")
    assert f"| {seeded.name} | {seeded.slip} | 1.5 | 7 | 2 steps, 1 pod | 0.0 s | `model: a\\|b` |" in text
    assert f"| {SEEDED[-1].name} | {SEEDED[-1].slip} | **not caught** | 9000 | | | |" in text


def test_committed_table_is_of_these_bugs() -> None:
    """What was measured is about the list as it is, and every bug in it was caught."""
    text = TABLE.read_text(encoding="utf-8")

    named = {row.split(" | ")[0].removeprefix("| ") for row in text.splitlines() if row.startswith("| ")}

    assert {seeded.name for seeded in SEEDED} == named - {"bug"}
    assert "not caught" not in text

"""The table of the releases' differences: the one place where Python's types do not look."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args, get_type_hints

import pytest

from pinproof.errors import InputError
from pinproof.reference.behaviour import _CHANGES, LATEST, MINORS, Behaviour, behaviour_of

SWITCHES = {field.name for field in fields(Behaviour)} - {"minor"}
TYPES = get_type_hints(Behaviour)


@pytest.mark.parametrize(
    ("switch", "value"),
    [pytest.param(key, value, id=f"{minor}-{key}") for minor, some in _CHANGES.items() for key, value in some.items()],
)
def test_every_change_is_a_switch_of_its_type(switch: str, value: object) -> None:
    """`replace` takes anything: the table is checked here."""
    assert switch in SWITCHES
    allowed = get_args(TYPES[switch]) or (True, False)
    assert value in allowed
    assert type(value) in {type(option) for option in allowed}


def test_every_switch_is_thrown_by_some_minor() -> None:
    """A switch that no minor throws is not a difference between releases."""
    assert SWITCHES == {key for some in _CHANGES.values() for key in some}


def test_every_change_changes_something() -> None:
    """No minor repeats what an earlier one has said."""
    before = Behaviour(minor="")
    for minor, changes in _CHANGES.items():
        assert [] == [key for key, value in changes.items() if getattr(before, key) == value]
        before = behaviour_of(minor)


def test_minors_ascend_without_gap() -> None:
    """The table reads as a change log, oldest first, and the default is one of its minors."""
    numbers = [int(minor.removeprefix("1.")) for minor in MINORS]

    assert list(range(numbers[0], numbers[0] + len(numbers))) == numbers
    assert LATEST in MINORS


@pytest.mark.parametrize("name", ["1.32", "v1.32", "1.32.2", "v1.32.13"])
def test_release_has_the_switches_of_its_minor(name: str) -> None:
    """A patch release is what its minor is."""
    assert "1.32" == behaviour_of(name).minor


@pytest.mark.parametrize("name", ["1.28", "1.99.1", "", "latest", "1"])
def test_unknown_release_is_refused(name: str) -> None:
    """The message says what is known."""
    with pytest.raises(InputError, match=r"the reference knows 1\.29 to 1\.37"):
        behaviour_of(name)

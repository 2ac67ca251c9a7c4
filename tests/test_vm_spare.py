"""Which scenario gets the machine of the one before, and what becomes of machines that nobody gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pinproof.errors import SubjectError
from pinproof.scenario.machine import Machine
from pinproof.scenario.topologies import machine
from pinproof.subjects.vm.spare import Spare

TWO, THREE = machine("small_two"), machine("small_three")
DISK, OTHER = Path("/k/disk"), Path("/k/other")


@dataclass
class Running:
    """A machine of two nodes."""

    dirty: bool = False
    done: list[str] = field(default_factory=list)

    def is_like(self, machine: Machine, kubelets: Path) -> bool:
        return (machine, kubelets) == (TWO, DISK)

    def renew(self) -> None:
        self.done.append("renewed")
        if self.dirty:
            raise SubjectError("clean", "it does not answer", fault="this machine", remedy="none")

    def close(self) -> None:
        self.done.append("off")


def test_the_same_machine_is_cleaned_and_given_away_once() -> None:
    spare, node = Spare[Running](), Running()
    spare.keep(node)

    assert [node, None] == [spare.renewed(TWO, DISK) for _ in range(2)]
    assert ["renewed"] == node.done
    spare.close()
    assert ["renewed"] == node.done


@pytest.mark.parametrize(("wanted", "disk"), [(THREE, DISK), (TWO, OTHER)])
def test_another_machine_is_switched_off(wanted: Machine, disk: Path) -> None:
    spare, node = Spare[Running](), Running()
    spare.keep(node)

    assert spare.renewed(wanted, disk) is None
    assert ["off"] == node.done


def test_one_that_cannot_be_cleaned_is_switched_off_and_told_of() -> None:
    spare, node = Spare[Running](), Running(dirty=True)
    spare.keep(node)

    assert spare.renewed(TWO, DISK) is None
    assert ["renewed", "off"] == node.done
    assert "it could not be cleaned: it does not answer" == spare.trouble


def test_none_is_left() -> None:
    spare, first, second = Spare[Running](), Running(), Running()
    spare.keep(first)
    spare.keep(second)
    spare.close()
    spare.close()

    assert [["off"], ["off"]] == [first.done, second.done]

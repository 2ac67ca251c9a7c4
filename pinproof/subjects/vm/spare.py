"""A machine that has served a scenario and may serve the next one, with nothing left of the first.

What takes most of the time of a fresh copy of a machine is that its emulator has translated nothing yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pinproof.errors import SubjectError
from pinproof.scenario.machine import Machine


class Renewable(Protocol):
    """A machine that runs."""

    def is_like(self, machine: Machine, kubelets: Path) -> bool:
        """Whether it is this machine, booted as usual, with this disk of kubelets."""
        ...

    def renew(self) -> None:
        """Leave nothing of what ran in it. Raises SubjectError."""
        ...

    def close(self) -> None:
        """Switch it off."""
        ...


Node = TypeVar("Node", bound=Renewable)


class Spare(Generic[Node]):
    """Holds one machine at most."""

    def __init__(self) -> None:
        """Hold none."""
        self._node: Node | None = None
        self.trouble = ""
        """Why the machine that was held last could not be cleaned; empty if it could."""

    def keep(self, node: Node) -> None:
        """Hold a machine instead of the one that is held."""
        self.close()
        self._node = node

    def renewed(self, machine: Machine, kubelets: Path) -> Node | None:
        """The machine that is held, cleaned, if it is the right one; else it is switched off."""
        node, self.trouble = self._node, ""
        if node and node.is_like(machine, kubelets):
            try:
                node.renew()
            except SubjectError as error:
                self.trouble = f"it could not be cleaned: {error.message}"
            else:
                self._node = None
                return node
        self.close()
        return None

    def close(self) -> None:
        """Switch off what is held. May be called twice."""
        node, self._node = self._node, None
        if node:
            node.close()

"""Who is who on a node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Identities:
    """Fresh UIDs and namespaces: no two pods of a node share one, whatever their scenario calls them.

    On a node that serves its first scenario they are those of the reference: `name.1` for the first pod to arrive.
    """

    _count: int = 0

    def next(self, name: str) -> tuple[str, str]:
        """UID and namespace for another incarnation."""
        self._count += 1
        return f"{name}.{self._count}", f"n{self._count}"

"""A node that may be disrupted: no pods of others come while we are there, and it is as it was when we go.

What is changed is written down in our lease before it is. So whoever takes the lease after a run that was killed restores it.
"""

from __future__ import annotations

import sys
from typing import Final

from pinproof.subjects.cluster.api import Api
from pinproof.subjects.cluster.lease import Taken

_UNSCHEDULABLE: Final = "unschedulable"


class Disruption:
    """What is changed of a node itself."""

    def __init__(self, api: Api, taken: Taken) -> None:
        self._api = api
        self._taken = taken
        self._path = f"/api/v1/nodes/{taken.node}"

    def cordon(self) -> None:
        """Let no pods of others come. Raises RefusedError."""
        if self._api.get(self._path)["spec"].get(_UNSCHEDULABLE):
            return  # somebody has done so, and will undo it
        self._taken.note({_UNSCHEDULABLE: False})
        self._api.patch(self._path, {"spec": {_UNSCHEDULABLE: True}})

    def restore(self) -> None:
        """Undo what is written down. Raises RefusedError."""
        noted = self._taken.restore
        if _UNSCHEDULABLE in noted:
            self._api.patch(self._path, {"spec": {_UNSCHEDULABLE: noted[_UNSCHEDULABLE] or None}})
            self._taken.note({})
            sys.stderr.write(f"pinproof: {self._taken.node} is open for pods again\n")

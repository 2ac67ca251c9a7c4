"""What is changed of a node's kubelet while it may be disrupted, as the helper pod on the node carries it out.

The files themselves are kept beside where they are (`FILE.pinproof-saved`), and a record in the kubelet's folder says which. A
process of the helper looks after every change: a kubelet that does not stay, or that nobody confirms in time, is given its own
files again by that process, because nobody else could reach the node then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pinproof.scenario.config import KubeletConfig
from pinproof.subjects.cluster.api import ApiError
from pinproof.subjects.cluster.helper import Helper
from pinproof.subjects.kubelet.places import CPU_STATE, STATE
from pinproof.subjects.protocol import NotObservableError

SAVED: Final = "saved"
RETURNED: Final = "returned"

UNIT: Final = "kubelet.service"
FORGOTTEN: Final[Mapping[str, str | None]] = {STATE: None, CPU_STATE: None}
"""What a kubelet that begins anew does not find."""


@dataclass(frozen=True, slots=True)
class Own:
    """A kubelet's own configuration."""

    path: str
    text: str
    config: KubeletConfig


class Changes:
    """The changes of one node; paths of state files are as on a node of our own, below `/var/lib/kubelet`."""

    def __init__(self, helper: Helper, *, root: str, seconds: float) -> None:
        """`root` is the kubelet's folder; a change has to be confirmed within so many `seconds`."""
        self.own: Own | None = None
        """What is kept; None while nothing is."""

        self._helper = helper
        self._root = root
        self._seconds = seconds

    def save(self, config: KubeletConfig) -> Own:
        """Keep configuration and state files as they are, before anything is changed. Raises NotObservableError, CaptureError."""
        if self.own is None:
            found = self._helper.ask("configuration", UNIT)
            if not found["runs"]:
                raise NotObservableError(
                    f"the kubelet is not {UNIT} of the node's systemd, so nobody there could restart it"
                )
            if found["directory"]:
                raise NotObservableError(
                    f"the kubelet's configuration has parts in {found['directory']}, which are not looked at"
                )
            if not found["path"]:
                raise NotObservableError("the kubelet has no configuration file that could be changed (--config)")
            self._helper.ask("save", self._root, found["path"], *map(self._place, FORGOTTEN))
            self.own = Own(found["path"], found["text"], config)
        return self.own

    def order(self, own: Own, text: str, files: Mapping[str, str | None]) -> None:
        """Let the kubelet be restarted with a text instead of its own configuration, and other state files (None removes)."""
        texts = {own.path: text, **{self._place(path): text for path, text in files.items()}}
        change = {"root": self._root, "unit": UNIT, "seconds": self._seconds, "files": texts}
        with suppress(ApiError):  # the answer comes by the kubelet, which may have ended before
            self._helper.ask("change", json.dumps(change), once=True)

    def confirm(self) -> None:
        """The kubelet runs with the last change. Raises CaptureError where it was taken back meanwhile."""
        self._helper.ask("confirm", self._root)

    def record(self) -> Mapping[str, Any]:
        """What is known on the node: `stage`, and `words` of a kubelet that did not run; empty where nothing is kept."""
        return self._helper.ask("saved")["saved"] or {}

    def order_return(self) -> None:
        """Let everything be put back, and the kubelet be restarted."""
        with suppress(ApiError):
            self._helper.ask("return", self._root, UNIT, once=True)

    def forget(self) -> None:
        """Everything is back, or was never changed: let go of what was kept."""
        self._helper.ask("forget", self._root)
        self.own = None

    def _place(self, path: str) -> str:
        return f"{self._root}/{path.rpartition('/')[2]}"

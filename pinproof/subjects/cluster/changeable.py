"""A node of somebody else's cluster whose kubelet may be given another configuration, and is given its own back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pinproof.errors import CaptureError, SubjectError
from pinproof.scenario.config import KubeletConfig
from pinproof.subjects.cluster import discovery
from pinproof.subjects.cluster.api import Api
from pinproof.subjects.cluster.apinode import configz
from pinproof.subjects.cluster.beginning import configuration_differs
from pinproof.subjects.cluster.changes import FORGOTTEN, RETURNED, SAVED, Changes
from pinproof.subjects.cluster.helper import Helper
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.cluster.node import STARTED, ClusterNode
from pinproof.subjects.cluster.rewriting import joined, rewritten
from pinproof.subjects.kubelet.node import Files, Setting
from pinproof.subjects.kubelet.observe import capture_error
from pinproof.subjects.kubelet.places import CPU_STATE, STATE
from pinproof.subjects.kubelet.refusal import Ending, ending
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import NotObservableError

_STEP: Final = "restart the kubelet with another configuration"


class ChangeableNode(ClusterNode):
    """As every node of a cluster; where it may be disrupted, its kubelet is restarted with other files."""

    def __init__(
        self,
        name: str,
        api: Api,
        helper: Helper,
        home: Home,
        setting: Setting,
        timeouts: Timeouts,
        *,
        real: bool,
        changes: Changes,
    ) -> None:
        """Take up a node that this process has, and whose files are changed by `changes`. Raises as `ClusterNode`."""
        super().__init__(name, api, helper, home, setting, timeouts, real=real)
        self._changes = changes

    @property
    def altered(self) -> bool:
        """Whether it is not as it was found, or will not be."""
        return self._changes.own is not None

    def save(self) -> None:
        """Keep what is there now, so that it is what is put back. Raises NotObservableError, CaptureError."""
        self._changes.save(self.setting.kubelet)

    def begin_anew(self, setting: Setting) -> None:
        """Restart the kubelet with a configuration and without memory of what was. Raises as `start`."""
        self.start(setting, FORGOTTEN.items())

    def start(self, setting: Setting, files: Files = ()) -> Ending | None:
        """Restart the kubelet and wait until it has taken up its pods again.

        Raises:
            NotObservableError: it cannot have this configuration.
            CaptureError: it does not run with it; the node has its own again, or will.
        """
        texts = dict(files)
        if not texts and setting == self.setting:
            return super().start(setting)
        if setting != replace(self.setting, kubelet=setting.kubelet):
            raise NotObservableError("a cluster's node is given no other machine and no other release")
        own = self._changes.save(self.setting.kubelet)
        try:
            text = rewritten(own.text, own.config, joined(own.config, setting.kubelet))
        except ValueError as error:
            raise NotObservableError(f"{own.path} of the node cannot be changed: {error}") from error
        before = self._reading(STARTED)
        self._changes.order(own, text, texts)
        self.until(_STEP, "reconfiguration", lambda: self._has_taken_up(before))
        self._require_kept()
        self._changes.confirm()
        self._await_same_verdicts()
        self._require_told(setting)
        self.setting = setting
        return None

    def read(self, *paths: str) -> list[str | None]:
        """Texts of the state files; None for those that do not exist."""
        known = dict(zip((STATE, CPU_STATE), self.texts(), strict=True))
        return [known[path] for path in paths]

    def restore(self) -> bool:
        """Put back everything that was changed, by a run that was killed as well; whether there was anything.

        Raises SubjectError where the node does not answer.
        """
        try:
            record = self._record()
            if record and record["stage"] not in (SAVED, RETURNED):
                before = self._reading(STARTED)
                self._changes.order_return()
                self.until("put back the configuration", "reconfiguration", lambda: self._is_back(before))
                self._await_same_verdicts()
            if record:
                self._changes.forget()
        except CaptureError as error:
            raise SubjectError(
                f"put back the configuration of {self.name}",
                f"{error.step}: {error.message}",
                fault="the node, or its kubelet",
                remedy="the next run on this node puts it back; by hand: rename every FILE.pinproof-saved there to FILE, "
                "remove pinproof-saved.json in the kubelet's folder, and restart the kubelet",
            ) from error
        self.setting = replace(self.setting, kubelet=self._told())
        return bool(record)

    def _record(self) -> Mapping[str, Any]:
        """What is known on the node, when its kubelet answers. Raises CaptureError."""
        found: list[Mapping[str, Any]] = []

        def look() -> tuple[bool, object]:
            try:
                found.append(self._changes.record())
            except CaptureError as error:
                return False, error.message
            return True, ""

        self.until("reach the node", "reconfiguration", look)
        return found[0]

    def _is_back(self, before: float) -> tuple[bool, object]:
        """Whether everything is as it was, and a kubelet runs that was started since."""
        try:
            stage = self._changes.record().get("stage")
        except CaptureError as error:
            return False, error.message
        if stage != RETURNED:
            return False, f"it is {stage}"
        return self._has_taken_up(before)

    def _require_kept(self) -> None:
        """Raises CaptureError where the kubelet did not run and its own files were put back."""
        record = self._record()
        if record.get("words"):
            ended = ending(record["words"], code=1)
            raise capture_error(_STEP, f"it does not run with it, and has its own again; it said: {ended.message}")

    def _require_told(self, setting: Setting) -> None:
        """Raises NotObservableError where the kubelet says that it runs with another configuration than its file's."""
        differing = configuration_differs(setting.machine, setting.kubelet, self._told(), setting.release)
        if differing:
            raise NotObservableError(f"the node's file is not what counts for its kubelet: {'; '.join(differing)}")

    def _told(self) -> KubeletConfig:
        return discovery.configuration_of(configz(self._api, self.name), self.name)

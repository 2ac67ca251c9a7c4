"""The side of a node that its API server shows: pods are created, bound, watched and deleted there, as a user's are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pinproof.scenario.pod import Pod
from pinproof.subjects.cluster import manifest
from pinproof.subjects.cluster.api import Api, Document, RefusedError
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.cluster.podwatch import PodWatch
from pinproof.subjects.kubelet.node import Node
from pinproof.subjects.kubelet.observe import JUDGED, capture_error
from pinproof.subjects.protocol import NotObservableError
from pinproof.waiting import looks

_CONFLICT = 409
_INVALID = (400, 403, 422)
"""How an API server says that it does not take an object."""


class ApiNode(Node):
    """A node of a cluster; what has to be done on the node itself is for who derives from this."""

    name: str

    def _take_up(self, name: str, api: Api, home: Home) -> None:
        """Begin to follow the pods of a node. Raises SubjectError, RefusedError."""
        self.name = name
        self.home = home
        self._api = api
        self._watch = PodWatch(api, name)
        self._names: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._there: set[str] = set()
        """Pods that were created and not deleted."""

        self._bound: set[str] = set()
        """Those of them that were bound."""

    def create(self, pod: Pod, *, name: str, alias: str) -> tuple[str, str]:
        """Create a pod that is not on the node yet; returns its UID and the name that the API server has it under.

        Raises NotObservableError where the API server does not take it.
        """
        document = manifest.pod(pod, self.home, name=name, node=self.name)
        made = self._post(self.home.pods, document, pod)
        return self._enter(made["metadata"]["uid"], name, alias)

    def _post(self, path: str, document: Document, pod: Pod) -> Document:
        """Create an object for a pod of the scenario."""
        try:
            return self._created(path, document)
        except RefusedError as refused:
            if refused.code in _INVALID:
                raise NotObservableError(
                    f"the API server does not take pod {pod.name!r}: {refused.message}"
                ) from refused
            raise self._unwilling("create a pod", refused) from refused

    def _enter(self, uid: str, name: str, alias: str) -> tuple[str, str]:
        """Take note of a pod of the scenario that is there now."""
        self._names[uid], self._aliases[uid] = name, alias
        self._there.add(uid)
        return uid, name

    def _created(self, path: str, document: Document) -> Document:
        """Create it; where that was asked twice, because the first answer was lost, there is one already."""
        try:
            return self._api.post(path, document)
        except RefusedError as refused:
            if refused.code != _CONFLICT:
                raise
            return self._api.get(f"{path}/{document['metadata']['name']}")

    def bind(self, uid: str) -> None:
        """Let the node have a pod."""
        name = self._names[uid]
        try:
            self._api.post(f"{self.home.pods}/{name}/binding", manifest.binding(name, self.home, node=self.name))
        except RefusedError as refused:
            if refused.code != _CONFLICT or not self._is_bound(name):
                raise self._unwilling("bind a pod", refused) from refused
        self._bound.add(uid)

    def _is_bound(self, name: str) -> bool:
        """Whether a binding that was asked for twice was heard the first time."""
        return bool(self._api.get(f"{self.home.pods}/{name}")["spec"].get("nodeName") == self.name)

    def await_reported(self, pods: Mapping[str, Sequence[str]]) -> None:
        """Wait until the API server has heard that containers have begun.

        What a kubelet does not report before it is stopped, the next one does not know: 1.33 and 1.34 read there what was
        allocated to a container.
        """

        def reported(known: Mapping[str, Document]) -> bool:
            return all(set(names) <= begun(known.get(uid, {})) for uid, names in pods.items())

        if not self._watch.until(reported, self.timeouts.seconds("finish")):
            seen = {uid: sorted(begun(self._watch.pods().get(uid, {}))) for uid in pods}
            raise capture_error("report to the API server", self._expired("finish", f"{seen}; {self._watch.trouble}"))

    def drop(self, uids: Sequence[str]) -> None:
        """Take pods from the API server at once, whatever their node does; for one whose kubelet does not run."""
        self._delete(uids, grace=0)
        self._await_deleted(uids)

    def _delete(self, uids: Sequence[str], *, grace: int | None) -> None:
        for uid in uids:
            try:
                self._api.delete(f"{self.home.pods}/{self._names[uid]}", grace=grace if uid in self._bound else 0)
            except RefusedError as refused:
                raise self._unwilling("delete a pod", refused) from refused

    def _delete_all(self) -> None:
        """Whatever is there of former scenarios, of another process's too."""
        listed = self._api.get(self.home.pods, labelSelector=f"{manifest.LABEL}={self.name}")
        for item in listed["items"]:
            self._api.delete(f"{self.home.pods}/{item['metadata']['name']}", grace=0)
        self._await_deleted([item["metadata"]["uid"] for item in listed["items"]])

    def _await_deleted(self, uids: Sequence[str]) -> None:
        if not self._watch.until(lambda pods: not any(uid in pods for uid in uids), self.timeouts.seconds("removal")):
            left = {uid: self._watch.status(uid).get("phase") for uid in uids if uid in self._watch.pods()}
            raise capture_error("delete pods", self._expired("removal", f"{left}; {self._watch.trouble}"))
        self._there.difference_update(uids)

    def _unwilling(self, step: str, refused: RefusedError) -> Exception:
        return capture_error(step, f"the API server answered {refused}")

    def _metrics(self) -> str:
        """The judged metrics, through the API server; that of a new cluster may not be let to a kubelet for some seconds."""
        seen = ""
        for _ in looks(self.timeouts.seconds("metrics")):
            try:
                return _judged(self._api.text(f"/api/v1/nodes/{self.name}/proxy/metrics"))
            except RefusedError as refused:
                seen = str(refused)
        raise capture_error("read the metrics", self._expired("metrics", seen))

    def _whole_page(self) -> str:
        try:
            return self._api.text(f"/api/v1/nodes/{self.name}/proxy/metrics")
        except RefusedError as refused:
            return f"# {refused}\n"  # the kubelet does not run

    def events(self, uid: str) -> list[Document]:
        """The events that the API server has of a pod."""
        path = f"/api/v1/namespaces/{self.home.namespace}/events"
        return list(self._api.get(path, fieldSelector=f"involvedObject.uid={uid}")["items"])

    def begin(self) -> None:
        """Forget who was who in former scenarios."""
        self._names.clear()
        self._aliases.clear()
        self._there.clear()
        self._bound.clear()
        self._watch.forget()

    def _in_words_of_the_scenario(self, text: str) -> str:
        for uid, alias in self._aliases.items():
            text = text.replace(uid, alias)
        return text


def begun(pod: Document) -> set[str]:
    """Containers that run or have run, by what the API server has of them."""
    status = pod.get("status") or {}
    every = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return {each["name"] for each in every if {"running", "terminated"} & (each.get("state") or {}).keys()}


def rejection(status: Mapping[str, Any]) -> Mapping[str, str]:
    """A rejected pod, in the words of a node agent."""
    return {"state": "rejected", "reason": status.get("reason", ""), "message": status.get("message", "")}


def _judged(page: str) -> str:
    """The lines of the judged families."""
    return "".join(f"{line}\n" for line in page.splitlines() if line.startswith(JUDGED))


def configz(api: Api, node: str) -> Document:
    """What a kubelet says of its configuration. Raises RefusedError, ApiError."""
    return cast(Document, api.get(f"/api/v1/nodes/{node}/proxy/configz")["kubeletconfig"])

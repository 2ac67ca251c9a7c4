"""Static pods of a worker: manifests in the folder that its kubelet looks into. The API server has mirrors of them at most.

A mirror has a UID of its own, and there is none of a pod that was rejected. So what becomes of static pods is asked of the
kubelet itself, through the API server's proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from pinproof.subjects.cluster.api import Api, Document, RefusedError
from pinproof.subjects.cluster.podwatch import PodWatch

FOLDER: Final = "/etc/kubernetes/manifests"
"""`staticPodPath` as kubeadm sets it."""

MIRROR_OF: Final = "kubernetes.io/config.hash"
"""Annotation of a mirror: the UID of its static pod."""

Write = Callable[[list[tuple[str, str | None]]], None]


class StaticPods:
    """Those of one node, by UID."""

    def __init__(self, api: Api, watch: PodWatch, node: str, write: Write) -> None:
        """`write` changes files on the node."""
        self._api = api
        self._watch = watch
        self._node = node
        self._write = write
        self._manifests: dict[str, str] = {}

    def __contains__(self, uid: object) -> bool:
        """Whether it is a static pod of the scenario."""
        return uid in self._manifests

    def enter(self, uid: str, manifest: str) -> None:
        """Have a pod ready that is not on the node yet."""
        self._manifests[uid] = manifest

    def bring(self, uid: str) -> None:
        """Let the kubelet find the manifest."""
        self._write([(_path(uid), self._manifests[uid])])

    def withdraw(self, uids: Collection[str]) -> None:
        """Take the manifests away, of those that are static pods."""
        self._write([(_path(uid), None) for uid in uids if uid in self])

    def listed(self) -> list[Document]:
        """What the kubelet has of them; nothing where it does not answer."""
        if not self._manifests:
            return []
        try:
            items: list[Document] = self._api.get(f"/api/v1/nodes/{self._node}/proxy/pods").get("items") or []
        except RefusedError:
            return []  # it does not run, which is noticed where its process is looked at
        return [item for item in items if item["metadata"]["uid"] in self]

    def status(self, uid: str) -> Mapping[str, Any]:
        """Status of one, as the kubelet has it; empty where it has none."""
        return next((item.get("status") or {} for item in self.listed() if item["metadata"]["uid"] == uid), {})

    def await_unmirrored(self, uids: Collection[str], seconds: float) -> bool:
        """Wait until the API server has no mirror of them; whether that was in time."""
        return self._watch.until(lambda pods: not any(_mirrored(pod) in uids for pod in pods.values()), seconds)

    def delete_mirrors(self, uids: Collection[str]) -> None:
        """Take mirrors from the API server; for a kubelet that does not run."""
        for pod in self._watch.pods().values():
            if _mirrored(pod) in uids:
                meta = pod["metadata"]
                self._api.delete(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", grace=0)

    def forget(self) -> None:
        """The scenario is over."""
        self._manifests.clear()


def _path(uid: str) -> str:
    return f"{FOLDER}/pinproof-{uid}.json"


def _mirrored(pod: Document) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(MIRROR_OF, ""))

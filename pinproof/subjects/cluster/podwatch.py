"""The pods of one node as the API server has them, kept up to date by a watch in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pinproof.errors import SubjectError
from pinproof.subjects.cluster.api import Api, Document, RefusedError

_PATH = "/api/v1/pods"
_PAUSE = 0.5
"""Between two attempts at a server that is not there."""


class PodWatch:
    """What is known of the pods that are bound to a node, by UID; or of those with a label, wherever they are."""

    def __init__(self, api: Api, node: str, *, label: str = "") -> None:
        """Begin to follow the pods of a node, or with `label` those that carry the node's name in it."""
        self._api = api
        self._selector = {"labelSelector": f"{label}={node}"} if label else {"fieldSelector": f"spec.nodeName={node}"}
        self._changed = threading.Condition()
        self._pods: dict[str, Document] = {}
        self._gone: dict[str, Document] = {}
        self._trouble = ""
        self._ended = threading.Event()
        self._version = self._list()
        threading.Thread(target=self._follow, name=f"pods of {node}", daemon=True).start()

    def pods(self) -> Mapping[str, Document]:
        """All of them, as last heard."""
        with self._changed:
            return dict(self._pods)

    def status(self, uid: str) -> Mapping[str, Any]:
        """Status of a pod; empty for one that is not there."""
        with self._changed:
            status: Mapping[str, Any] = self._pods.get(uid, {}).get("status") or {}
            return status

    def gone(self) -> Mapping[str, Document]:
        """Those that were deleted since `forget`, as they were at last."""
        with self._changed:
            return dict(self._gone)

    def forget(self) -> None:
        """Remember no more what was deleted."""
        with self._changed:
            self._gone.clear()

    def until(self, satisfied: Callable[[Mapping[str, Document]], bool], seconds: float) -> bool:
        """Wait until the pods are as they should be; whether they were in time."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not satisfied(self._pods):
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return satisfied(self._pods)
        return True

    @property
    def trouble(self) -> str:
        """Why nothing is heard at the moment; empty while all is well."""
        return self._trouble

    def close(self) -> None:
        """Hear nothing more; the thread ends with its connection or with the process."""
        self._ended.set()

    def _list(self) -> str:
        listed = self._api.get(_PATH, **self._selector)
        with self._changed:
            self._pods = {item["metadata"]["uid"]: item for item in listed["items"]}
            self._changed.notify_all()
        return str(listed["metadata"]["resourceVersion"])

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                if not self._version:
                    self._version = self._list()
                for event in self._api.watch(_PATH, since=self._version, **self._selector):
                    self._trouble = ""
                    if self._ended.is_set() or not self._take(event):
                        break
            except (SubjectError, RefusedError, OSError, ValueError) as error:
                self._lose(str(error))
            except Exception as error:  # noqa: BLE001  # urllib3 has many; a thread that dies would be a wait in vain
                self._lose(repr(error))

    def _lose(self, trouble: str) -> None:
        self._trouble, self._version = trouble, ""
        self._ended.wait(_PAUSE)

    def _take(self, event: Document) -> bool:
        """Take in an event; whether the next can follow."""
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            self._version = ""
            return False
        self._version = str(item["metadata"]["resourceVersion"])
        with self._changed:
            if kind == "DELETED":
                self._pods.pop(item["metadata"]["uid"], None)
                self._gone[item["metadata"]["uid"]] = item
            elif kind != "BOOKMARK":
                self._pods[item["metadata"]["uid"]] = item
            self._changed.notify_all()
        return True

"""An API server in memory: objects by path, with versions, as far as leases and namespaces need it."""

from __future__ import annotations

import copy
from typing import Any, cast

from pinproof.subjects.cluster.api import Api, RefusedError

Document = dict[str, Any]


class FakeApi:
    """Creates, replaces, merges and deletes; refuses what is there, what is not, and what has changed meanwhile."""

    def __init__(self) -> None:
        self.objects: dict[str, Document] = {}
        self.deleted: list[str] = []
        self._versions = 0

    @property
    def api(self) -> Api:
        """As what it stands for."""
        return cast(Api, self)

    def get(self, path: str, **query: object) -> Document:
        del query
        if path in self.objects:
            return copy.deepcopy(self.objects[path])
        if path.endswith("s"):
            return {"items": [copy.deepcopy(o) for p, o in self.objects.items() if p.startswith(f"{path}/")]}
        raise RefusedError(404, f"{path} not found")

    def post(self, path: str, body: Document) -> Document:
        if path.startswith("/apis/authorization.k8s.io"):
            return {"status": {"allowed": self.allows(body["spec"]["resourceAttributes"])}}
        name = f"{path}/{body['metadata']['name']}"
        if name in self.objects:
            raise RefusedError(409, f"{name} already exists")
        return self._put(name, body)

    def put(self, path: str, body: Document) -> Document:
        self._require(path, body)
        return self._put(path, body)

    def patch(self, path: str, body: Document) -> Document:
        self._require(path, body)
        return self._put(path, merged(self.objects[path], body))

    def delete(self, path: str, *, version: str = "") -> bool:
        if path not in self.objects:
            return False
        if version and version != self.objects[path]["metadata"]["resourceVersion"]:
            raise RefusedError(409, "the object has been modified")
        del self.objects[path]
        self.deleted.append(path)
        return True

    def allows(self, attributes: Document) -> bool:
        """Whether the user may do something."""
        del attributes
        return True

    def _require(self, path: str, body: Document) -> None:
        if path not in self.objects:
            raise RefusedError(404, f"{path} not found")
        wanted = body.get("metadata", {}).get("resourceVersion")
        if wanted and wanted != self.objects[path]["metadata"]["resourceVersion"]:
            raise RefusedError(409, "the object has been modified")

    def _put(self, path: str, body: Document) -> Document:
        self._versions += 1
        made = copy.deepcopy(body)
        made.setdefault("metadata", {})["resourceVersion"] = str(self._versions)
        self.objects[path] = made
        return copy.deepcopy(made)


def merged(left: Document, right: Document) -> Document:
    """A merge patch."""
    made = dict(left)
    for name, value in right.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict):
            made[name] = merged(made.get(name) or {}, value)
        else:
            made[name] = value
    return made

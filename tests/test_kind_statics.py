"""Static pods of a worker: their manifests, what the kubelet says of them, and their mirrors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from pinproof.subjects.cluster.api import Api, RefusedError
from pinproof.subjects.cluster.podwatch import PodWatch
from pinproof.subjects.kind.statics import FOLDER, MIRROR_OF, StaticPods

MIRROR = {"metadata": {"uid": "m", "name": "a-n", "namespace": "pinproof", "annotations": {MIRROR_OF: "s"}}}


class FakeApi:
    """An API server that knows what the kubelet says, or does not reach it."""

    def __init__(self, *items: dict[str, Any], reached: bool = True) -> None:
        self.items, self.reached = list(items), reached
        self.deleted: list[str] = []

    def get(self, path: str) -> dict[str, Any]:
        if not self.reached:
            raise RefusedError(503, "no kubelet")
        assert "/api/v1/nodes/n/proxy/pods" == path
        return {"items": self.items}

    def delete(self, path: str, *, grace: int) -> bool:
        assert 0 == grace
        self.deleted.append(path)
        return True


class FakeWatch:
    """What the API server has at the moment."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self._pods = {pod["metadata"]["uid"]: pod for pod in pods}

    def pods(self) -> Mapping[str, Any]:
        return self._pods

    def until(self, satisfied: Callable[[Mapping[str, Any]], bool], seconds: float) -> bool:
        del seconds
        return satisfied(self._pods)


def static(api: FakeApi | None = None, watch: FakeWatch | None = None) -> tuple[StaticPods, list[Any]]:
    """Static pods of node `n`, of which `s` is one; and what is written on the node."""
    written: list[Any] = []
    pods = StaticPods(cast(Api, api or FakeApi()), cast(PodWatch, watch or FakeWatch()), "n", written.extend)
    pods.enter("s", "text")
    return pods, written


def test_a_manifest_comes_and_goes() -> None:
    pods, written = static()
    pods.bring("s")
    pods.withdraw(["s", "another"])

    path = f"{FOLDER}/pinproof-s.json"
    assert [(path, "text"), (path, None)] == written


def test_the_kubelet_is_asked_for_their_status() -> None:
    """Of the pods of the scenario alone; a kubelet that does not answer has told nothing."""
    status = {"phase": "Failed", "reason": "TopologyAffinityError"}
    listed = {"metadata": {"uid": "s"}, "status": status}
    api = FakeApi(listed, {"metadata": {"uid": "foreign"}, "status": {}})
    pods, _ = static(api)

    assert ([listed], status, {}) == (pods.listed(), pods.status("s"), pods.status("another"))
    api.reached = False
    assert [] == pods.listed()


@pytest.mark.parametrize(("there", "gone"), [((MIRROR,), False), ((), True)])
def test_a_pod_is_gone_when_its_mirror_is(there: tuple[dict[str, Any], ...], *, gone: bool) -> None:
    pods, _ = static(watch=FakeWatch(*there))

    assert gone == pods.await_unmirrored(["s"], 1)


def test_mirrors_are_taken_from_the_api_server_where_no_kubelet_runs() -> None:
    api = FakeApi()
    pods, _ = static(api, FakeWatch(MIRROR))
    pods.delete_mirrors(["another"])
    pods.delete_mirrors(["s"])

    assert ["/api/v1/namespaces/pinproof/pods/a-n"] == api.deleted

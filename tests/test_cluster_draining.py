"""Emptying a node of a cluster: who is evicted, who stays, and when nothing is begun."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pinproof.errors import SubjectError
from pinproof.subjects.cluster import draining
from pinproof.subjects.cluster.api import Api, RefusedError
from pinproof.subjects.cluster.draining import drain, lost, to_evict
from pinproof.subjects.kubelet.timeouts import Timeouts

Document = dict[str, Any]


def pod(name: str, *, by: str = "", namespace: str = "shop", phase: str = "Running", **more: Any) -> Document:
    """A pod as an API server has it."""
    owners = [{"kind": by, "controller": True}] if by else []
    metadata = {"name": name, "namespace": namespace, "uid": name, "ownerReferences": owners}
    return {
        "metadata": metadata | {"annotations": more.get("annotations", {})},
        "spec": {"volumes": more.get("volumes", [])},
        "status": {"phase": phase},
    }


SCRATCH = [{"name": "scratch", "emptyDir": {}}]
WEB = pod("web", by="ReplicaSet")


class Server:
    """What an API server answers; its budgets allow an eviction after so many refusals."""

    def __init__(self, *pods: Document, refusals: int = 0) -> None:
        self.pods = {each["metadata"]["name"]: each for each in pods}
        self.refusals = refusals
        self.evicted: list[str] = []

    def get(self, path: str, **query: str) -> Document:
        assert ("/api/v1/pods", {"fieldSelector": "spec.nodeName=n"}) == (path, query)
        return {"items": list(self.pods.values())}

    def post(self, path: str, document: Document) -> Document:
        name = document["metadata"]["name"]
        assert f"/api/v1/namespaces/shop/pods/{name}/eviction" == path
        if self.refusals:
            self.refusals -= 1
            raise RefusedError(429, "the budget is used up")
        del self.pods[name]
        self.evicted.append(name)
        return {}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two looks."""
    monkeypatch.setattr(draining, "_PAUSE", 0.0)


def emptied(server: Server) -> int:
    """Drain node `n` of it."""
    return drain(cast(Api, server), "n", Timeouts())


def test_pods_of_the_node_itself_stay() -> None:
    """A DaemonSet would make them again at once, and a manifest of the node is no business of an API server; nor are ours."""
    mirror = pod("static", annotations={"kubernetes.io/config.mirror": "x"})
    stay = (pod("agent", by="DaemonSet"), mirror, pod("helper", namespace="pinproof"))

    assert (WEB,) == to_evict([*stay, WEB])


def test_what_nobody_would_make_again_is_named() -> None:
    pods = [WEB, pod("alone"), pod("cache", by="ReplicaSet", volumes=SCRATCH), pod("done", phase="Succeeded")]

    assert ("shop/alone: no controller would make another", "shop/cache: it keeps data in an emptyDir") == lost(pods)


def test_nothing_is_begun_where_a_pod_would_be_lost() -> None:
    server = Server(WEB, pod("alone"))

    with pytest.raises(SubjectError, match="shop/alone: no controller") as refused:
        emptied(server)
    assert [] == server.evicted
    assert "kubectl drain n" in refused.value.remedy


def test_a_budget_is_waited_for() -> None:
    server = Server(WEB, pod("db", by="StatefulSet"), refusals=3)

    assert 2 == emptied(server)
    assert ["db", "web"] == sorted(server.evicted)


def test_a_budget_that_never_allows_it_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Timeouts, "seconds", lambda *_: 0.0)

    with pytest.raises(SubjectError, match="shop/web: the budget is used up"):
        emptied(Server(WEB, refusals=1000))

"""Pods that a scheduler places and controllers make, against a small cluster of the test's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from queue import Empty, Queue
from threading import Timer
from typing import Any, cast

import pytest

from pinproof.errors import SubjectError
from pinproof.subjects.cluster import manifest, ways
from pinproof.subjects.cluster.api import Api, RefusedError
from pinproof.subjects.cluster.brought import BroughtNode
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.kind.node import KindNode
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.protocol import NotObservableError
from pinproof.suite import brought, guaranteed, replacement

HOME = Home("pinproof", "image")
PODS = HOME.pods
NODE = "/api/v1/nodes/n"
SMALL = guaranteed("a", memory="1Gi")
CONTROLLED = brought(SMALL, by="Deployment")
REASON = "TopologyAffinityError"


class Cluster:
    """An API server with a scheduler that has room or not, a controller that makes pods, and a kubelet that rejects or not."""

    def __init__(
        self,
        *,
        room: bool = True,
        rejects: bool = False,
        replaces: bool = True,
        tidies: bool = False,
        late: bool = False,
    ) -> None:
        self.room, self.rejects, self.replaces, self.tidies = room, rejects, replaces, tidies
        self.late = late  # in what it tells those who watch by a label
        self.pods: dict[str, dict[str, Any]] = {}
        self.controllers: dict[str, dict[str, Any]] = {}
        self.watches: list[tuple[str, Queue[dict[str, Any]]]] = []
        self.numbers = itertools.count(1)
        self.registered, self.looks = True, 0

    def get(self, path: str, **query: str) -> dict[str, Any]:
        if path == NODE:
            self.looks += 1
            if not self.registered and self.looks < 3:
                raise RefusedError(404, 'nodes "n" not found')
            return {"status": {"conditions": [{"type": "Ready", "status": "True", "message": "posting"}]}}
        if path.endswith("/events"):
            return {"items": [event(query["fieldSelector"].partition("=")[2])] if self.rejects else []}
        if path.startswith("/apis/apps"):
            kind = path.rpartition("/")[2]
            return {"items": [each for each in self.controllers.values() if f"{each['kind'].lower()}s" == kind]}
        items = [{**pod} for pod in self.pods.values() if selected(pod, **query)]
        return {"items": items, "metadata": {"resourceVersion": "1"}}

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == PODS:
            return self.make(body)
        self.controllers[body["metadata"]["name"]] = body
        self.make(self.of(body))
        return body

    def patch(self, path: str, body: dict[str, Any], *, way: str = "merge") -> dict[str, Any]:
        del body, way
        pod = self.pods[path.rpartition("/")[2]]
        if not self.room:
            reason = {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/3 nodes are available"}
            return self.change(pod, status={"conditions": [reason]})
        self.change(pod, spec={**pod["spec"], "nodeName": "n"})
        if self.rejects:
            self.change(pod, status={"phase": "Failed", "reason": REASON})
            owner = self.controllers.get(pod["metadata"]["labels"].get(ways.OWNER, ""))
            if owner and self.tidies:
                self.delete(path)
            if owner and self.replaces:
                self.make(self.of(owner))
        return pod

    def delete(self, path: str, *, grace: int | None = None, orphan: bool = False) -> bool:
        del grace, orphan
        name = path.rpartition("/")[2]
        if path == NODE:
            self.registered = False
        if path.startswith("/apis/apps"):
            return self.controllers.pop(name, None) is not None
        pod = self.pods.pop(name, None)
        if pod:
            self.tell("DELETED", pod)
        return pod is not None

    def watch(self, path: str, *, since: str, **query: str) -> Iterator[dict[str, Any]]:
        del path, since
        ((kind, selector),) = query.items()
        queue: Queue[dict[str, Any]] = Queue()
        self.watches.append((f"{kind} {selector}", queue))
        for pod in self.pods.values():
            if selected(pod, **query):
                queue.put({"type": "ADDED", "object": {**pod}})
        while True:
            try:
                yield queue.get(timeout=0.01)
            except Empty:
                yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "2"}}}

    def make(self, body: dict[str, Any]) -> dict[str, Any]:
        number = next(self.numbers)
        meta = {**body["metadata"], "uid": f"u{number}", "resourceVersion": str(number)}
        return self.change({**body, "metadata": meta}, status={"phase": "Pending"})

    def of(self, controller: dict[str, Any]) -> dict[str, Any]:
        template, name = controller["spec"]["template"], controller["metadata"]["name"]
        return {"metadata": {**template["metadata"], "name": f"{name}-{next(self.numbers)}"}, "spec": template["spec"]}

    def change(self, pod: dict[str, Any], **parts: Any) -> dict[str, Any]:
        changed = self.pods[pod["metadata"]["name"]] = {**pod, **parts}
        pod.update(parts)
        self.tell("MODIFIED", changed)
        return changed

    def tell(self, kind: str, pod: dict[str, Any]) -> None:
        for query, queue in self.watches:
            name, _, selector = query.partition(" ")
            if selected(pod, **{name: selector}):
                event = {"type": kind, "object": {**pod}}
                if self.late and name == "labelSelector":
                    Timer(0.2, queue.put, [event]).start()
                else:
                    queue.put(event)


def selected(pod: dict[str, Any], *, fieldSelector: str = "", labelSelector: str = "") -> bool:  # noqa: N803  # the API's
    key, _, value = labelSelector.partition("=")
    if labelSelector:
        return bool(pod["metadata"].get("labels", {}).get(key) == value)
    return fieldSelector != "spec.nodeName=n" or pod["spec"].get("nodeName") == "n"


def event(uid: str) -> dict[str, Any]:
    source = {"component": "kubelet"}
    return {
        "type": "Warning",
        "reason": REASON,
        "message": f"of {uid}",
        "source": source,
        "involvedObject": {"uid": uid},
    }


class Bare(BroughtNode):
    """A node of which nothing is there but what the API server has."""

    def __init__(self, cluster: Cluster) -> None:
        self.timeouts = Timeouts(0.05)
        self._take_up("n", cast(Api, cluster), HOME)

    def close(self) -> None:
        self._watch.close()
        if self._made:
            self._made.close()


def test_the_scheduler_is_let_have_a_pod_when_its_turn_comes() -> None:
    cluster = Cluster()
    with closing(Bare(cluster)) as node:
        uid, name = node.create(brought(SMALL, by="scheduler"), name="a-1", alias="a.1")
        waits = cluster.pods[name]["spec"].get("nodeName")
        node.bind(uid)

    assert (None, "n") == (waits, cluster.pods[name]["spec"]["nodeName"])


def test_what_the_scheduler_finds_no_room_for_is_not_applicable() -> None:
    with closing(Bare(Cluster(room=False))) as node:
        uid, _ = node.create(brought(SMALL, by="scheduler"), name="a-1", alias="a.1")

        with pytest.raises(NotObservableError, match="does not let the node have pod 'a': 0/3 nodes are available"):
            node.bind(uid)


@pytest.mark.parametrize("tidies", [False, True])
def test_pods_of_a_controller_are_counted(*, tidies: bool) -> None:
    """A Deployment leaves its rejected pods, a DaemonSet deletes them; what was made is counted all the same."""
    with closing(Bare(Cluster(rejects=True, tidies=tidies))) as node:
        first, _ = node.create(CONTROLLED, name="a-1", alias="a.1")
        node.bind(first)
        made = [dict(node.made())]
        second, _ = node.create(replacement("b", of=CONTROLLED), name="b-1", alias="b.2")
        node.bind(second)
        made.append(dict(node.made()))
        node.until("hear of both", "event", lambda: (all(map(node.status, (first, second))), None))
        warned = node.warnings()

    assert [{"a": 2}, {"a": 3}] == made
    assert {uid: ((REASON, f"of {uid}"),) for uid in (first, second)} == warned


def test_a_rejection_may_be_heard_of_by_one_watch_before_the_other() -> None:
    """That of the node's pods knows it, that of all a controller has made does not: the next pod is waited for all the same."""
    with closing(Bare(Cluster(rejects=True, late=True))) as node:
        uid, _ = node.create(CONTROLLED, name="a-1", alias="a.1")
        node.bind(uid)
        node.until("hear of it", "event", lambda: (node.status(uid).get("phase") == "Failed", None))

        assert {"a": 2} == node.made()


@pytest.mark.parametrize("tidies", [False, True])
def test_a_pod_that_its_controller_has_deleted_is_told_once(*, tidies: bool) -> None:
    """The kubelet is waited for once; a later one has never heard of the pod."""
    with closing(Bare(Cluster(rejects=True, tidies=tidies))) as node:
        uid, _ = node.create(CONTROLLED, name="a-1", alias="a.1")
        node.bind(uid)
        node.made()

        assert ([{uid}, set()] if tidies else [set(), set()]) == [node.tidied(), node.tidied()]


def test_a_node_that_is_to_be_another_is_registered_anew() -> None:
    """A kubelet that finds no Node object goes by its own machine; it is waited for until there is one again."""
    cluster = Cluster()
    with closing(Bare(cluster)) as node:
        node._unregister()
        node._await_registered()

    assert (False, 3) == (cluster.registered, cluster.looks)


def test_a_controller_that_gives_up_is_seen() -> None:
    """The wait for another pod ends, and what is there is what is told."""
    with closing(Bare(Cluster(rejects=True, replaces=False))) as node:
        uid, _ = node.create(CONTROLLED, name="a-1", alias="a.1")
        node.bind(uid)

        assert {"a": 1} == node.made()


def test_a_pod_that_was_admitted_is_not_replaced() -> None:
    with closing(Bare(Cluster())) as node:
        uid, _ = node.create(CONTROLLED, name="a-1", alias="a.1")
        node.bind(uid)

        with pytest.raises(NotObservableError, match="the Deployment of pod 'a' has made no pod that could be 'b'"):
            node.create(replacement("b", of=CONTROLLED), name="b-1", alias="b.2")


def test_a_controller_goes_with_what_it_has_made() -> None:
    cluster = Cluster(rejects=True)
    with closing(Bare(cluster)) as node:
        uid, _ = node.create(CONTROLLED, name="a-1", alias="a.1")
        node.bind(uid)
        node.made()
        node.dismiss([uid])
        there = [pod["metadata"]["uid"] for pod in cluster.pods.values()]
        made = node.made()

    assert ({}, [uid], {}) == (cluster.controllers, there, made)


def test_what_a_killed_run_has_left_is_found_by_its_label() -> None:
    cluster = Cluster()
    with closing(Bare(cluster)) as node:
        node.create(CONTROLLED, name="a-1", alias="a.1")
    with closing(Bare(cluster)) as another:
        another._delete_all()

    assert ({}, {}) == (cluster.controllers, cluster.pods)
    assert manifest.LABEL == "pinproof.dev/node"


class Ended(KindNode):
    """A worker whose kubelet has ended with these words."""

    def __init__(self, words: str) -> None:
        self.name, self._aliases, self._words = "worker", {}, words

    def log(self, *, about: str = "") -> str:
        del about
        return f'E1122 11:00:00.000000       1 run.go:72] "command failed" err="{self._words}"\n'


def test_what_all_nodes_of_a_machine_share_is_no_verdict_on_a_kubelet() -> None:
    """A kubelet that cannot watch files has refused nothing."""
    with pytest.raises(SubjectError, match="max_user_instances"):
        Ended("failed to run Kubelet: Failed to start cAdvisor: inotify_init: too many open files").ending(
            {"exited": 1}
        )

    assert "no such policy" == Ended("no such policy").ending({"exited": 1}).message

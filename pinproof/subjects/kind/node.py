"""A worker of a cluster as a node that scenarios are carried out on.

What a `Node` of the kubelet subject asks of its agent is asked of a program inside the worker; pods and their rejections go
through the API server, as a user's do, and so do the metrics.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.pod import Pod
from pinproof.subjects.kind import configuration, machines, manifest, places
from pinproof.subjects.kind.api import Api, Document, RefusedError
from pinproof.subjects.kind.cluster import PLAIN
from pinproof.subjects.kind.engine import Commands
from pinproof.subjects.kind.podwatch import PodWatch
from pinproof.subjects.kubelet import places as kubelet_places
from pinproof.subjects.kubelet.agent import Agent, AgentError, Reply
from pinproof.subjects.kubelet.configuration import minor_of
from pinproof.subjects.kubelet.node import Files, Node, Setting
from pinproof.subjects.kubelet.observe import JUDGED, capture_error, rejected
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.kubelet.timeouts import Wait
from pinproof.subjects.protocol import NotObservableError

_LOOK = 0.05
"""Seconds that the node is watched for containers before the API server is asked for rejections again."""

_PAUSE = 0.1
"""Seconds between two questions at an API server that cannot answer yet."""

_INVALID = (400, 403, 422)
"""How an API server says that it does not take an object."""

_PODS = f"/api/v1/namespaces/{places.NAMESPACE}/pods"
_LOG_LIMIT = 256 << 10


class KindNode(Node):
    """A worker; its kubelet may run or not."""

    def __init__(
        self, name: str, engine: Commands, api: Api, *, machine: Path, kubelets: dict[str, str], release: str
    ) -> None:
        """Take up a worker whose kubelet nobody else uses.

        Args:
            name: the worker's, in the cluster and on the engine.
            engine: where the worker is a container.
            api: of the cluster.
            machine: folder of its made machine.
            kubelets: release → path inside the worker; may grow.
            release: that of the kubelet under test.

        Raises:
            SubjectError: the worker does not answer.
        """
        # Not as a node of the kubelet subject is set up: kind has done that.
        self.name = name
        self.timeouts = engine.timeouts
        self.setting = Setting(PLAIN, KubeletConfig(), release)
        self.agent = self._connected(engine)
        self._engine = engine
        self._api = api
        self._folder = machine
        self._kubelets = kubelets
        self._machine = PLAIN
        self.cgroups = True
        """Whether the kubelet has cgroups for QoS classes and pods."""

        (base,) = self.read(places.BASE_CONFIG)
        self._base: Document = yaml.safe_load(base or "")
        self._watch = PodWatch(api, name)
        self._names: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._there: set[str] = set()
        """Pods that were created and not deleted."""

        self._bound: set[str] = set()
        """Those of them that were bound."""

    # The kubelet

    def reset(self, setting: Setting, *, cgroups: bool) -> Ending | None:
        """Make the worker as good as new and start a kubelet; None once it runs, else how it ended. Raises SubjectError."""
        self.cgroups = cgroups
        self.agent.call("stop", seconds=self.timeouts.seconds("stop"), signal="KILL")
        self._delete_all()
        self.agent.call("purge", seconds=self.timeouts.seconds("clean"))
        remembered = [(f"{kubelet_places.ROOT}/{name}", None) for name in places.STATE_FILES]
        return self.start(setting, remembered)

    def _launch(self, setting: Setting, files: Files) -> None:
        if setting.machine != self._machine:
            machines.write(self._folder, setting.machine)
            self._machine = setting.machine
        config = configuration.text(self._base, setting.kubelet, minor=minor_of(setting.release), cgroups=self.cgroups)
        self.write([(places.CONFIG, config), *files])
        self.agent.call("start", kubelet=self._kubelets[setting.release])

    def cut_power(self) -> None:
        """Take the worker's power and give it back; its kubelet does not run afterwards. Raises SubjectError."""
        self.agent.close()
        self._engine.cut_power(self.name)
        self.agent = self._connected(self._engine)

    def stop(self, signal: str) -> None:
        """Stop the kubelet by TERM or KILL, or by POWER, which stops the whole worker."""
        if signal == "POWER":
            self.cut_power()
        else:
            super().stop(signal)

    def ending(self, reply: Reply) -> Ending:
        """How the kubelet ended; what it says of pods is said of those of the scenario."""
        ended = super().ending(reply)
        return replace(ended, message=self._in_words_of_the_scenario(ended.message))

    # Pods

    def create(self, pod: Pod, *, name: str, alias: str) -> tuple[str, str]:
        """Create a pod that is not on the node yet; returns its UID and when it was created, in the server's words.

        Raises NotObservableError where the API server does not take it.
        """
        try:
            made = self._api.post(_PODS, manifest.pod(pod, name=name, node=self.name))
        except RefusedError as refused:
            if refused.code in _INVALID:
                raise NotObservableError(
                    f"the API server does not take pod {pod.name!r}: {refused.message}"
                ) from refused
            raise self._unwilling("create a pod", refused) from refused
        uid = made["metadata"]["uid"]
        self._names[uid], self._aliases[uid] = name, alias
        self._there.add(uid)
        return uid, made["metadata"]["creationTimestamp"]

    def bind(self, uid: str) -> None:
        """Let the node have a pod."""
        name = self._names[uid]
        try:
            self._api.post(f"{_PODS}/{name}/binding", manifest.binding(name, self.name))
        except RefusedError as refused:
            raise self._unwilling("bind a pod", refused) from refused
        self._bound.add(uid)

    def ask(self, step: str, wait: Wait, op: str, **fields: Any) -> Reply:
        """As every node; but which pods are rejected is what the API server says."""
        if op == "await_pods":
            return self._await_pods(step, wait, fields["pods"])
        return super().ask(step, wait, op, **fields)

    def _await_pods(self, step: str, wait: Wait, pods: Mapping[str, Sequence[str]]) -> Reply:
        deadline = time.monotonic() + self.timeouts.seconds(wait)
        states: dict[str, Mapping[str, str]] = {}
        while True:
            states |= {uid: _rejection(status) for uid in pods if rejected(status := self._watch.status(uid))}
            left = {uid: containers for uid, containers in pods.items() if uid not in states}
            if not left:
                return {"pods": states}
            reply = self.agent.call("await_pods", seconds=_LOOK, pods=left)
            if "exited" in reply:
                return reply
            seen: Mapping[str, str] = reply.get("pods") or {}
            states |= {uid: {"state": state} for uid, state in seen.items() if state == "started"}
            if time.monotonic() > deadline:
                phases = {uid: self._watch.status(uid).get("phase") for uid in left}
                raise capture_error(step, self._expired(wait, f"{reply}; {phases}; {self._watch.trouble}"))

    def await_reported(self, pods: Mapping[str, Sequence[str]]) -> None:
        """Wait until the API server has heard that containers have begun.

        What a kubelet does not report before it is stopped, the next one does not know: 1.33 to 1.35 read there what was
        allocated to a container.
        """

        def reported(known: Mapping[str, Document]) -> bool:
            return all(set(names) <= _begun(known.get(uid, {})) for uid, names in pods.items())

        if not self._watch.until(reported, self.timeouts.seconds("finish")):
            seen = {uid: sorted(_begun(self._watch.pods().get(uid, {}))) for uid in pods}
            raise capture_error("report to the API server", self._expired("finish", f"{seen}; {self._watch.trouble}"))

    def forget(self, uids: Sequence[str], *, also: Files = ()) -> None:
        """Delete pods and wait until neither the API server nor the kubelet knows them."""
        del also  # files of static pods; there are none here
        uids = [uid for uid in uids if uid in self._there]
        self._delete(uids, grace=None)
        gone = {uid: f"{places.NAMESPACE}/{self._names[uid]}" for uid in uids if uid in self._bound}
        self.ask("remove a pod", "removal", "await_gone", pods=gone)
        self._await_deleted(uids)
        self._bound -= gone.keys()

    def drop(self, uids: Sequence[str]) -> None:
        """Take pods from the API server at once, whatever their node does; for one whose kubelet does not run."""
        self._delete(uids, grace=0)
        self._await_deleted(uids)

    def _delete(self, uids: Sequence[str], *, grace: int | None) -> None:
        for uid in uids:
            try:
                self._api.delete(f"{_PODS}/{self._names[uid]}", grace=grace if uid in self._bound else 0)
            except RefusedError as refused:
                raise self._unwilling("delete a pod", refused) from refused

    def _delete_all(self) -> None:
        """Whatever is there of former scenarios, of another process's too."""
        listed = self._api.get(_PODS, labelSelector=f"{manifest.LABEL}={self.name}")
        for item in listed["items"]:
            self._api.delete(f"{_PODS}/{item['metadata']['name']}", grace=0)
        self._await_deleted([item["metadata"]["uid"] for item in listed["items"]])

    def _await_deleted(self, uids: Sequence[str]) -> None:
        if not self._watch.until(lambda pods: not any(uid in pods for uid in uids), self.timeouts.seconds("removal")):
            left = {uid: self._watch.status(uid).get("phase") for uid in uids if uid in self._watch.pods()}
            raise capture_error("delete pods", self._expired("removal", f"{left}; {self._watch.trouble}"))
        self._there.difference_update(uids)

    def _unwilling(self, step: str, refused: RefusedError) -> Exception:
        return capture_error(step, f"the API server answered {refused}")

    # Seeing

    def observe(self, *, everything: bool = True, allocatable: bool = True) -> Reply:
        """The report of the program inside, with pods and judged metrics from the API server."""
        reply = self.agent.call(
            "observe", pod_resources=everything, allocatable=everything and allocatable, told=everything
        )
        reply["pods"] = {"items": list(self._watch.pods().values())}
        if everything and reply["running"]:
            reply["metrics"] = self._metrics()
        for listed in (reply["pod_resources"] or {}).get("list") or ():
            listed["namespace"] = f"{listed['namespace']}/{listed['name']}"  # which is what tells pods apart here
        return reply

    def _metrics(self) -> str:
        """The judged metrics, through the API server; that of a new cluster may not be let to a kubelet for some seconds."""
        deadline = time.monotonic() + self.timeouts.seconds("metrics")
        while True:
            try:
                return _judged(self._api.text(f"/api/v1/nodes/{self.name}/proxy/metrics"))
            except RefusedError as refused:
                if time.monotonic() > deadline:
                    raise capture_error("read the metrics", self._expired("metrics", refused)) from refused
            time.sleep(_PAUSE)  # a kubelet does not announce that it answers

    def artefacts(self, *, since: int) -> dict[str, str]:
        """File name → text, bounded: what helps to understand a run."""
        del since
        paths = (kubelet_places.STATE, kubelet_places.CPU_STATE, places.CONFIG)
        files = {Path(path).name: text for path, text in zip(paths, self.read(*paths), strict=True)}
        events = self._api.get(f"/api/v1/namespaces/{places.NAMESPACE}/events")["items"]
        mine = [event for event in events if event["involvedObject"].get("uid") in self._names]
        texts = {
            "kubelet.log": self._as_of_static_pods(self.log()),
            "pods.json": json.dumps(list(self._watch.pods().values()), indent=1),
            "events.json": json.dumps(mine, indent=1),
            "metrics.prom": self._whole_page(),
            **files,
        }
        return {name: text[-_LOG_LIMIT:] for name, text in texts.items() if text}

    def _whole_page(self) -> str:
        try:
            return self._api.text(f"/api/v1/nodes/{self.name}/proxy/metrics")
        except RefusedError as refused:
            return f"# {refused}\n"  # the kubelet does not run

    def events(self, uid: str) -> list[Document]:
        """The events that the API server has of a pod."""
        path = f"/api/v1/namespaces/{places.NAMESPACE}/events"
        return list(self._api.get(path, fieldSelector=f"involvedObject.uid={uid}")["items"])

    def next_call(self) -> int:
        """There is no numbered record of calls."""
        return 0

    def begin(self) -> None:
        """Forget who was who in former scenarios."""
        self._names.clear()
        self._aliases.clear()
        self._there.clear()
        self._bound.clear()

    def close(self) -> None:
        """Let go of the worker; it goes on as it is."""
        self._watch.close()
        with contextlib.suppress(AgentError):
            self.agent.close()

    def _connected(self, engine: Commands) -> Agent:
        return Agent(
            Path(places.AGENT),
            namespaces="kind",
            timeouts=self.timeouts,
            command=engine.inside(self.name, places.AGENT, "inside"),
            env=engine.env,
        )

    def _as_of_static_pods(self, log: str) -> str:
        """A log with the names that the pods would have on a node of the kubelet subject, where every one has a namespace."""
        for uid, alias in self._aliases.items():
            pod, _, number = alias.rpartition(".")
            log = log.replace(f"{places.NAMESPACE}/{self._names[uid]}", f"n{number}/{pod}-{kubelet_places.NODE_NAME}")
        return self._in_words_of_the_scenario(log)

    def _in_words_of_the_scenario(self, text: str) -> str:
        for uid, alias in self._aliases.items():
            text = text.replace(uid, alias)
        return text


def _begun(pod: Document) -> set[str]:
    """Containers that run or have run, by what the API server has of them."""
    status = pod.get("status") or {}
    every = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return {each["name"] for each in every if {"running", "terminated"} & (each.get("state") or {}).keys()}


def _rejection(status: Mapping[str, Any]) -> Mapping[str, str]:
    return {"state": "rejected", "reason": status.get("reason", ""), "message": status.get("message", "")}


def _judged(page: str) -> str:
    """The lines of the judged families."""
    return "".join(f"{line}\n" for line in page.splitlines() if line.startswith(JUDGED))

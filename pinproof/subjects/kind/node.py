"""A worker of a cluster as a node that scenarios are carried out on.

What a `Node` of the kubelet subject asks of its agent is asked of a program inside the worker; pods and their rejections go
through the API server, as a user's do, and so do the metrics.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from pinproof.errors import SubjectError
from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.pod import Pod
from pinproof.subjects.cluster import image, ways
from pinproof.subjects.cluster.api import Api, Document
from pinproof.subjects.cluster.apinode import rejection
from pinproof.subjects.cluster.brought import BroughtNode
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.kind import configuration, machines, places
from pinproof.subjects.kind.cluster import PLAIN
from pinproof.subjects.kind.engine import Commands
from pinproof.subjects.kind.statics import StaticPods
from pinproof.subjects.kubelet import places as kubelet_places
from pinproof.subjects.kubelet.agent import Agent, AgentError, Reply
from pinproof.subjects.kubelet.configuration import minor_of
from pinproof.subjects.kubelet.faults import Traps
from pinproof.subjects.kubelet.node import Files, Setting
from pinproof.subjects.kubelet.observe import capture_error, rejected
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.kubelet.timeouts import Wait

_LOOK = 0.05
"""Seconds that the node is watched for containers before the API server is asked for rejections again."""

HOME = Home(places.NAMESPACE, image.DEFAULT, priority="system-node-critical")
"""A static pod is critical, and the reference speaks of static pods: one that does not fit is refused after a search for pods
to preempt, where an ordinary one is refused at once (`OutOfcpu`). The managers treat both alike."""

_LOG_LIMIT = 256 << 10

_INOTIFY = "inotify_init: too many open files"
"""What every kubelet says that cannot watch files any more; it has nothing to do with the scenario."""


class KindNode(BroughtNode):
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
        self.name = name  # which is asked for below already
        self.timeouts = engine.timeouts
        self.setting = Setting(PLAIN, KubeletConfig(), release)
        self.agent = self._connected(engine)
        self._engine = engine
        self._folder = machine
        self._kubelets = kubelets
        self._machine = PLAIN
        self.traps: Traps = ""
        """What the kubelet is stopped at and asked about."""

        self.cgroups = True
        """Whether the kubelet has cgroups for QoS classes and pods."""

        self._registered: tuple[Setting, bool] | None = None
        """Setting and `cgroups` of the kubelet whose node the API server has; None where that is not known."""

        (base,) = self.read(places.BASE_CONFIG)
        self._base: Document = yaml.safe_load(base or "")
        self._take_up(name, api, HOME)
        self._statics = StaticPods(api, self._watch, name, self.write)

    # The kubelet

    def reset(self, setting: Setting, *, cgroups: bool, traps: Traps = "") -> Ending | None:
        """Make the worker as good as new and start a kubelet; None once it runs, else how it ended. Raises SubjectError."""
        self.cgroups, self.traps = cgroups, traps
        self.agent.call("stop", seconds=self.timeouts.seconds("stop"), signal="KILL")
        self._delete_all()
        self.agent.call("purge", seconds=self.timeouts.seconds("clean"))
        remembered = [(f"{kubelet_places.ROOT}/{name}", None) for name in places.STATE_FILES]
        return self.start(setting, remembered)

    def start(self, setting: Setting, files: Files = ()) -> Ending | None:
        """As every node; one with another setting is registered anew, before its kubelet hears of any pod."""
        ended = super().start(setting, files)
        if ended is None and self._registered is None:
            self._await_registered()
            self._registered = (setting, self.cgroups)
        return ended

    def _launch(self, setting: Setting, files: Files) -> None:
        if setting.machine != self._machine:
            machines.write(self._folder, setting.machine)
            self._machine = setting.machine
        config = configuration.text(self._base, setting.kubelet, minor=minor_of(setting.release), cgroups=self.cgroups)
        self.write([(places.CONFIG, config), *files])
        if self._registered != (setting, self.cgroups):
            self._registered = None
            self._unregister()
        self.agent.call("start", kubelet=self._kubelets[setting.release], traps=self.traps)

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
        """How the kubelet ended; what it says of pods is said of those of the scenario.

        Raises SubjectError where it ended for want of what all nodes of this machine share.
        """
        ended = super().ending(reply)
        if _INOTIFY in ended.message:
            raise SubjectError(
                "start the kubelet",
                f"{self.name}: {ended.message}",
                fault="this machine: its nodes and other programs use all of fs.inotify.max_user_instances",
                remedy="end clusters that nobody needs, or raise it: sysctl fs.inotify.max_user_instances=512",
            )
        return replace(ended, message=self._in_words_of_the_scenario(ended.message))

    # Pods

    def create(self, pod: Pod, *, name: str, alias: str) -> tuple[str, str]:
        """As every node of a cluster; a static pod is no business of the API server."""
        if pod.by != "static":
            return super().create(pod, name=name, alias=alias)
        uid = str(uuid.uuid4())
        self._statics.enter(uid, ways.static(pod, self.home, uid=uid, name=name, node=self.name))
        return self._enter(uid, f"{name}-{self.name}", alias)

    def bind(self, uid: str) -> None:
        """Let the node have a pod; a static one by its manifest."""
        if uid in self._statics:
            self._statics.bring(uid)
            self._bound.add(uid)
        else:
            super().bind(uid)

    def status(self, uid: str) -> Mapping[str, Any]:
        """Status of a pod: what the API server has, or of a static pod the kubelet."""
        return self._statics.status(uid) if uid in self._statics else super().status(uid)

    def await_reported(self, pods: Mapping[str, Sequence[str]]) -> None:
        """As every node of a cluster; nobody waits for what is reported of static pods."""
        super().await_reported({uid: names for uid, names in pods.items() if uid not in self._statics})

    def ask(self, step: str, wait: Wait, op: str, **fields: Any) -> Reply:
        """As every node; but which pods are rejected is what the API server says."""
        if op == "await_pods":
            return self._await_pods(step, wait, fields["pods"])
        return super().ask(step, wait, op, **fields)

    def _await_pods(self, step: str, wait: Wait, pods: Mapping[str, Sequence[str]]) -> Reply:
        deadline = time.monotonic() + self.timeouts.seconds(wait)
        states: dict[str, Mapping[str, str]] = {}
        while True:
            states |= {uid: rejection(status) for uid in pods if rejected(status := self.status(uid))}
            left = {uid: containers for uid, containers in pods.items() if uid not in states}
            if not left:
                return {"pods": states}
            reply = self.agent.call("await_pods", seconds=_LOOK, pods=left)
            if "exited" in reply:
                return reply
            seen: Mapping[str, str] = reply.get("pods") or {}
            states |= {uid: {"state": state} for uid, state in seen.items() if state == "started"}
            if time.monotonic() > deadline:
                phases = {uid: self.status(uid).get("phase") for uid in left}
                raise capture_error(step, self._expired(wait, f"{reply}; {phases}; {self._watch.trouble}"))

    def forget(self, uids: Sequence[str], *, also: Files = (), grace: int | None = None) -> None:
        """Delete pods and wait until neither the API server nor the kubelet knows them.

        With a `grace` of 0 the API server has them no more at once; the kubelet ends their containers all the same.
        """
        del also  # files of the kubelet subject
        self.dismiss(uids)
        uids = [uid for uid in uids if uid in self._there]
        self._delete(uids, grace=grace)
        gone = {uid: f"{places.NAMESPACE}/{self._names[uid]}" for uid in uids if uid in self._bound}
        if "exited" in self.ask("remove a pod", "removal", "await_gone", pods=gone):
            self._delete(uids, grace=0)  # it was killed on the way, and nobody else can say that a pod is gone
        self._await_deleted(uids)
        if not self._statics.await_unmirrored(uids, self.timeouts.seconds("removal")):
            raise capture_error("remove a static pod", self._expired("removal", "the API server has a mirror of it"))
        self._bound -= gone.keys()

    def drop(self, uids: Sequence[str]) -> None:
        """Take pods away at once, for a kubelet that does not run; a controller goes on."""
        super().drop(uids)
        self._statics.delete_mirrors([uid for uid in uids if uid in self._statics])

    def _delete(self, uids: Sequence[str], *, grace: int | None) -> None:
        self._statics.withdraw(uids)
        super()._delete([uid for uid in uids if uid not in self._statics], grace=grace)

    # Seeing

    def observe(self, *, everything: bool = True, allocatable: bool = True) -> Reply:
        """The report of the program inside, with pods and judged metrics from the API server.

        What controllers do about rejected pods is waited for before anything else is looked at: it changes what a kubelet lists.
        """
        made = self.made() if everything else {}
        if everything and (tidied := self.tidied()):
            names = {uid: f"{places.NAMESPACE}/{self._names[uid]}" for uid in tidied}
            self.ask("see a pod go that its controller has deleted", "removal", "await_gone", pods=names)
        reply = self.agent.call(
            "observe", pod_resources=everything, allocatable=everything and allocatable, told=everything
        )
        there = self._watch.pods()
        gone = [pod for uid, pod in self._watch.gone().items() if uid in self._there and uid not in there]
        reply["pods"] = {"items": [*there.values(), *gone, *self._statics.listed()]}
        if everything and reply["running"]:
            reply["metrics"] = self._metrics()
            reply["events"], reply["made"] = self.warnings(), made
        for listed in (reply["pod_resources"] or {}).get("list") or ():
            listed["namespace"] = f"{listed['namespace']}/{listed['name']}"  # which is what tells pods apart here
        return reply

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

    def begin(self) -> None:
        """Forget who was who in former scenarios."""
        super().begin()
        self._statics.forget()

    def next_call(self) -> int:
        """There is no numbered record of calls."""
        return 0

    def close(self) -> None:
        """Let go of the worker; it goes on as it is."""
        self._watch.close()
        if self._made is not None:
            self._made.close()
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

"""A node of somebody else's cluster as a node that scenarios are carried out on.

Pods go through the API server, as everybody's do; files, and what PodResources says, come from the helper pod. Nothing on the
node is changed but by what a kubelet does for pods, unless the node may be disrupted: then its kubelet can be restarted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from pinproof.errors import CaptureError
from pinproof.history import Pages
from pinproof.scenario.pod import Container, Pod
from pinproof.subjects.cluster import manifest
from pinproof.subjects.cluster.api import Api, ApiError, Document, RefusedError
from pinproof.subjects.cluster.apinode import ApiNode, begun, rejection
from pinproof.subjects.cluster.changes import UNIT
from pinproof.subjects.cluster.helper import PROGRAM, Helper
from pinproof.subjects.cluster.initial import uid_of
from pinproof.subjects.cluster.lease import RENEWAL
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.kubelet.agent import Reply
from pinproof.subjects.kubelet.configuration import minor_of
from pinproof.subjects.kubelet.node import Files, Setting
from pinproof.subjects.kubelet.observe import capture_error, rejected
from pinproof.subjects.kubelet.refusal import Ending
from pinproof.subjects.kubelet.timeouts import Timeouts, Wait
from pinproof.subjects.protocol import NotObservableError
from pinproof.subjects.vm.manifest import touching
from pinproof.vm.pages import pages

ADMISSIONS: Final = "kubelet_topology_manager_admission_requests_total"
STARTED: Final = "process_start_time_seconds"

_LISTS_ACTIVE: Final = 34
"""First minor whose PodResources lists active pods alone."""

_LOG_LIMIT: Final = 256 << 10

SWEEPER: Final = Pod("sweeper", (Container("idle"),))
"""Its admission gives back what pods that are gone still hold; then it is rejected, because no node has its label."""


class ClusterNode(ApiNode):
    """A node whose kubelet runs, and goes on running."""

    def __init__(
        self, name: str, api: Api, helper: Helper, home: Home, setting: Setting, timeouts: Timeouts, *, real: bool
    ) -> None:
        """Take up a node that this process has. Raises SubjectError, RefusedError.

        `real`: its kernel has the NUMA nodes that its kubelet sees. Workloads touch memory, and it is looked where it lies.
        """
        # Not as a node of the kubelet subject is set up: it is there.
        self.timeouts = timeouts
        self.setting = setting
        self.helper = helper
        self.real = real
        self._take_up(name, api, home)

    # Pods

    def create(self, pod: Pod, *, name: str, alias: str) -> tuple[str, str]:
        """As on every node; where it can be seen where memory lies, a part of it is touched."""
        document = manifest.pod(pod, self.home, name=name, node=self.name)
        if self.real:
            arguments = {container.name: touching(container) for container in pod.all_containers}
            for made in (*document["spec"]["containers"], *document["spec"].get("initContainers", ())):
                made["args"] = arguments[made["name"]]
        made = self._post(self.home.pods, document, pod)
        return self._enter(made["metadata"]["uid"], name, alias)

    def pages(self, uid: str, container: str) -> Pages | None:
        """Where the memory of a container of ours lies; None for one that ends meanwhile. Raises CaptureError."""
        try:
            said = self._api.run(
                f"{self.home.pods}/{self._names[uid]}", [PROGRAM, "helper", "pages"], container=container
            )
            answer = json.loads(said)
            if "error" in answer:
                raise ValueError(answer["error"])
            return pages(answer)
        except RefusedError:
            return None
        except ValueError as error:
            raise capture_error(f"look where the memory of container {container} lies", str(error)) from error

    def ask(self, step: str, wait: Wait, op: str, **fields: Any) -> Reply:
        """What an agent on the node would be asked, by what the API server has heard from the kubelet."""
        if op == "await_pods":
            return self._await_pods(step, wait, fields["pods"])
        if op == "await_container":
            uid, name, attempt = fields["uid"], fields["container"], fields["attempt"]
            self._until(step, wait, lambda: any(_runs(each, name, attempt) for each in containers(self._pod(uid))))
            return {"running": True}
        raise AssertionError(f"a cluster is not asked for {op}")

    def _await_pods(self, step: str, wait: Wait, pods: Mapping[str, Sequence[str]]) -> Reply:
        def done(uid: str, names: Sequence[str]) -> bool:
            return rejected(self._status(uid)) or set(names) <= begun(self._pod(uid))

        self._until(step, wait, lambda: all(done(uid, names) for uid, names in pods.items()))
        states = {uid: self._status(uid) for uid in pods}
        return {
            "pods": {uid: rejection(seen) if rejected(seen) else {"state": "started"} for uid, seen in states.items()}
        }

    def _until(self, step: str, wait: Wait, holds: Any) -> None:
        """Wait for the API server to hear something, while it is there. Raises CaptureError with what it last heard."""
        seconds, silence = self.timeouts.seconds(wait), self._api.silence
        last = False
        while not self._watch.until(lambda _: holds(), seconds):
            trouble = self._watch.trouble or self.trouble()  # which waits for a server that is gone
            if self._api.silence > silence:
                seconds, silence = self._api.silence - silence + RENEWAL, self._api.silence
                continue
            if not last:  # a server that was gone, unasked, and is back just now, has told nothing yet
                seconds, last = RENEWAL, True
                continue
            heard = {pod["metadata"]["name"]: summary(pod) for pod in self._watch.pods().values() if self.is_ours(pod)}
            raise capture_error(step, self._expired(wait, f"{heard}; {trouble}"))

    def _await_deleted(self, uids: Sequence[str]) -> None:
        self._until("delete pods", "removal", lambda: not self._watch.pods().keys() & set(uids))
        self._there.difference_update(uids)

    def trouble(self) -> str:
        """What is wrong with the node, by its conditions; empty for nothing."""
        try:
            conditions = self._api.get(f"/api/v1/nodes/{self.name}")["status"].get("conditions") or ()
        except RefusedError as refused:
            return f"the API server says of the node: {refused}"
        ready = next((each for each in conditions if each["type"] == "Ready"), None)
        if ready is None or ready["status"] == "True":
            return ""
        return f"the node is not ready since {ready.get('lastTransitionTime')}: {ready.get('message')}"

    def forget(self, uids: Sequence[str], *, also: Files = ()) -> None:
        """Delete pods and wait until neither the API server nor the kubelet knows them."""
        del also  # files of static pods; there are none here
        gone = [uid for uid in uids if uid in self._there]
        places = {f"{self.home.namespace}/{self._names[uid]}" for uid in gone if uid in self._bound}
        self._delete(gone, grace=None)
        try:
            self._await_deleted(gone)
        except CaptureError:
            self.drop(gone)  # a node that is dead never says that they have ended
            raise
        self._bound.difference_update(gone)
        if minor_of(self.setting.release) < _LISTS_ACTIVE and places:
            self.until("remove a pod", "removal", lambda: self._listed(places))

    def _listed(self, places: set[str]) -> tuple[bool, object]:
        listed = self.helper.ask("observe")["pod_resources"]["list"]
        left = places & {f"{pod['namespace']}/{pod['name']}" for pod in listed}
        return not left, left

    def sweep(self, name: str) -> None:
        """Let the kubelet give back what pods that are gone still hold."""
        document = manifest.pod(SWEEPER, self.home, name=name, node=self.name)
        document["spec"]["nodeSelector"] = {"pinproof.dev/sweeper": "none"}
        uid, _ = self._enter(self._post(self.home.pods, document, SWEEPER)["metadata"]["uid"], name, "sweeper.0")
        try:
            self.bind(uid)
            self.ask("clean the node", "clean", "await_pods", pods={uid: ["idle"]})
        finally:
            self.forget([uid])

    def exit(self, uid: str, container: str, code: int) -> None:
        """Let a container of ours end with a code."""
        try:
            self._api.run(
                f"{self.home.pods}/{self._names[uid]}", [PROGRAM, "helper", "exit", str(code)], container=container
            )
        except RefusedError as refused:
            if refused.code != 500:  # it ends with the container that it ends, by whatever code
                raise capture_error("end a container", f"the API server answered {refused}") from refused

    def clean(self) -> int:
        """Delete what a run that was killed has left on the node; how many pods there were."""
        listed = self._api.get(self.home.pods, labelSelector=f"pinproof.dev/node={self.name}")["items"]
        left = [pod for pod in listed if pod["metadata"]["uid"] != self.helper.uid]
        dead = bool(self.trouble())
        for pod in left:
            alone = dead or not pod["spec"].get("nodeName")
            self._api.delete(f"{self.home.pods}/{pod['metadata']['name']}", grace=0 if alone else None)
        self._await_deleted([pod["metadata"]["uid"] for pod in left])
        return len(left)

    def is_ours(self, pod: Document) -> bool:
        """Whether a pod is a scenario's, or what a scenario has left."""
        metadata = pod["metadata"]
        return bool(metadata["namespace"] == self.home.namespace and metadata["uid"] != self.helper.uid)

    def others(self) -> list[Document]:
        """The pods on the node that are not of scenarios, with the UIDs that the kubelet knows."""
        listed = [pod for pod in self._watch.pods().values() if not self.is_ours(pod)]
        return [{**pod, "metadata": {**pod["metadata"], "uid": uid_of(pod)}} for pod in listed]

    def _pod(self, uid: str) -> Document:
        found = self._watch.pods().get(uid)
        if found is not None:
            return found
        return next((pod for pod in self.others() if pod["metadata"]["uid"] == uid), {})

    def _status(self, uid: str) -> Mapping[str, Any]:
        status: Mapping[str, Any] = self._pod(uid).get("status") or {}
        return status

    # The kubelet

    def stop(self, signal: str) -> None:
        """Nothing: a kubelet is restarted by its systemd, in one go."""
        if signal != "TERM":
            raise NotObservableError(f"the kubelet of a cluster's node is not ended by {signal}")

    def start(self, setting: Setting, files: Files = ()) -> Ending | None:
        """Restart the kubelet and wait until it has taken up its pods again."""
        if setting != self.setting or list(files):
            raise NotObservableError("nothing is changed on a cluster's node")
        before = self._reading(STARTED)
        with suppress(ApiError):  # the answer comes by the kubelet, which may have ended before
            self.helper.ask("restart", UNIT, once=True)
        self.until("restart the kubelet", "ready", lambda: self._has_taken_up(before))
        self._await_same_verdicts()
        return None

    def _has_taken_up(self, before: float) -> tuple[bool, object]:
        """Whether another process runs and has looked at every pod that it was told of."""
        started = self._reading(STARTED)
        if started in (0.0, before):
            return False, "no new kubelet answers"
        told = self._kubelet_pods()
        known = {uid for uid, status in told.items() if status.get("phase") not in ("Succeeded", "Failed")}
        awaited = {uid_of(pod) for pod in self._watch.pods().values()} - self._ended()
        admitted = self._reading(ADMISSIONS)
        return awaited <= told.keys() and admitted >= len(known), f"{admitted:g} of {len(awaited)} pods were looked at"

    def _ended(self) -> set[str]:
        over = ("Succeeded", "Failed")
        return {uid_of(pod) for pod in self._watch.pods().values() if (pod.get("status") or {}).get("phase") in over}

    def _await_same_verdicts(self) -> None:
        """Wait until the API server has heard whom this kubelet has rejected."""
        refused = {uid for uid, status in self._kubelet_pods().items() if rejected(status)}
        self._until("restart the kubelet", "finish", lambda: all(rejected(self._status(uid)) for uid in refused))

    def _kubelet_pods(self) -> dict[str, Mapping[str, Any]]:
        """UID → status, by the kubelet's own word."""
        try:
            listed = self._api.get(f"/api/v1/nodes/{self.name}/proxy/pods").get("items") or ()
        except RefusedError:
            return {}  # it does not answer yet
        return {pod["metadata"]["uid"]: pod.get("status") or {} for pod in listed}

    def _reading(self, name: str) -> float:
        """A metric without labels; 0 while the kubelet does not answer."""
        page = self._whole_page()
        return next((float(line.split()[1]) for line in page.splitlines() if line.startswith(f"{name} ")), 0.0)

    # Seeing

    def observe(self, *, everything: bool = True, allocatable: bool = True) -> Reply:
        """What can be seen of the node."""
        question = ["observe", *(["allocatable"] if allocatable else [])] if everything else ["state"]
        reply = {"running": True, "errors": [], "pod_resources": None, **self.helper.ask(*question)}
        reply["pods"] = {"items": [*self.others(), *(pod for pod in self._watch.pods().values() if self.is_ours(pod))]}
        reply["containers"] = [each for pod in self._watch.pods().values() for each in containers(pod)]
        if everything:
            reply["metrics"] = self._metrics()
            for listed in reply["pod_resources"]["list"]:
                listed["namespace"] = f"{listed['namespace']}/{listed['name']}"  # which is what tells pods apart here
        return reply

    def texts(self) -> tuple[str | None, str | None]:
        """Both state files."""
        reply = self.helper.ask("state")
        return reply["state"], reply["cpu_state"]

    def log(self, *, about: str = "") -> str:
        """Nothing: the log of a kubelet is not for everybody's eyes."""
        del about
        return ""

    def artefacts(self, *, since: int) -> dict[str, str]:
        """File name → text, bounded: what helps to understand a run. Of other people's pods, nothing."""
        del since
        state, cpu = self.texts()
        mine = [pod for pod in self._watch.pods().values() if self.is_ours(pod)]
        events = self._api.get(f"/api/v1/namespaces/{self.home.namespace}/events")["items"]
        texts = {
            "pods.json": json.dumps(mine, indent=1),
            "events.json": json.dumps([e for e in events if e["involvedObject"].get("uid") in self._names], indent=1),
            "metrics.prom": self._whole_page(),
            "memory_manager_state": state or "",
            "cpu_manager_state": cpu or "",
        }
        return {name: text[-_LOG_LIMIT:] for name, text in texts.items() if text}

    def next_call(self) -> int:
        """There is no numbered record of calls."""
        return 0

    def close(self) -> None:
        """Let go of the node."""
        self._watch.close()


def containers(pod: Document) -> Iterator[Mapping[str, Any]]:
    """The containers of a pod that have begun, in the words of a node agent."""
    status = pod.get("status") or {}
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state = each.get("state") or {}
        if "running" in state or "terminated" in state:
            yield {
                "uid": uid_of(pod),
                "container": each["name"],
                "state": "running" if "running" in state else "exited",
                "attempt": each.get("restartCount", 0),
                "mems": "",
                "cpus": "",
            }


def summary(pod: Document) -> str:
    """How a pod is, in a few words."""
    status = pod.get("status") or {}
    waits = [
        (each.get("state") or {}).get("waiting", {}).get("reason") for each in status.get("containerStatuses") or ()
    ]
    return " ".join(filter(None, [status.get("phase"), status.get("reason"), *waits]))


def _runs(each: Mapping[str, Any], name: str, attempt: int) -> bool:
    return bool(each["container"] == name and each["state"] == "running" and each["attempt"] >= attempt)

"""A node whose pods are also placed by the scheduler and made by controllers, and what an API server has of rejections."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from pinproof.scenario.pod import CONTROLLERS, Pod
from pinproof.subjects.cluster import manifest, ways
from pinproof.subjects.cluster.api import NOT_FOUND, Api, Document, RefusedError
from pinproof.subjects.cluster.apinode import ApiNode
from pinproof.subjects.cluster.manifest import Home
from pinproof.subjects.cluster.podwatch import PodWatch
from pinproof.subjects.cluster.ways import Controller
from pinproof.subjects.kubelet.observe import capture_error, rejected
from pinproof.subjects.protocol import NotObservableError
from pinproof.waiting import looks

Warnings = tuple[tuple[str, str], ...]
"""(reason, message), sorted."""

_PAUSE = 0.05


class BroughtNode(ApiNode):
    """A node of a cluster whose scheduler and controllers may be asked for pods."""

    def _take_up(self, name: str, api: Api, home: Home) -> None:
        super()._take_up(name, api, home)
        self._made: PodWatch | None = None
        """Everything that carries the node's label, whether it is on the node or not; followed from the first need on."""

        self._gated: set[str] = set()
        """Pods that wait for their turn."""

        self._controllers: dict[str, Controller] = {}
        """Pod of the scenario → its controller."""

        self._owners: dict[str, Controller] = {}
        """UID → controller of that pod."""

        self._tidied: set[str] = set()
        """Pods that were told as deleted by their controllers."""

        self._warned: dict[str, Warnings] = {}

    # Coming

    def create(self, pod: Pod, *, name: str, alias: str) -> tuple[str, str]:
        """As every such node; but a pod that the scheduler places waits for its turn, wherever it comes from.

        Raises NotObservableError where the API server does not take it, or its controller makes none.
        """
        if pod.by == "scheduler":
            made = self._post(self.home.pods, ways.gated(pod, self.home, name=name, node=self.name), pod)
        elif pod.by in CONTROLLERS:
            document = ways.controller(pod, self.home, name=name, node=self.name)
            self._follow()
            self._post(ways.collection(pod.by, self.home), document, pod)
            made = self._next_of(pod, Controller(pod.by, name, pod.name))
        elif pod.replaces:
            if pod.replaces not in self._controllers:
                raise NotObservableError(f"pod {pod.replaces!r} never came, so nobody replaces it")
            made = self._next_of(pod, self._controllers[pod.replaces])
        else:
            return super().create(pod, name=name, alias=alias)
        uid = made["metadata"]["uid"]
        self._gated.add(uid)
        return self._enter(uid, made["metadata"]["name"], alias)

    def _next_of(self, pod: Pod, controller: Controller) -> Document:
        """The pod that a controller has made and that waits for its turn."""
        found: list[Document] = []

        def waits(pods: Mapping[str, Document]) -> bool:
            found[:] = [
                each for uid, each in pods.items() if _owner(each) == controller.name and uid not in self._names
            ]
            return bool(found)

        if not self._follow().until(waits, self.timeouts.seconds("controller")):
            raise NotObservableError(
                f"the {controller.kind} of pod {controller.first!r} has made no pod that could be {pod.name!r}"
            )
        self._controllers[pod.name] = self._owners[found[0]["metadata"]["uid"]] = controller
        return found[0]

    def bind(self, uid: str) -> None:
        """Let the node have a pod: one that waits is let to the scheduler. Raises NotObservableError if that refuses."""
        if uid not in self._gated:
            super().bind(uid)
            return
        try:
            self._api.patch(f"{self.home.pods}/{self._names[uid]}", {"spec": {"schedulingGates": None}})
        except RefusedError as refused:
            raise self._unwilling("let the scheduler have a pod", refused) from refused
        self._gated.discard(uid)
        self._await_placed(uid)
        self._bound.add(uid)

    def _await_placed(self, uid: str) -> None:
        made = self._follow()

        def placed(pods: Mapping[str, Document]) -> bool:
            # One that is rejected may be gone again before anybody looks.
            return _is_placed(pods.get(uid) or made.gone().get(uid, {}))

        if made.until(placed, self.timeouts.seconds("placement")):
            return
        conditions = made.status(uid).get("conditions") or ()
        scheduled: Document = next((each for each in conditions if each["type"] == "PodScheduled"), {})
        pod = self._aliases[uid].rpartition(".")[0]
        if scheduled.get("reason") == "Unschedulable":
            raise NotObservableError(f"the scheduler does not let the node have pod {pod!r}: {scheduled['message']}")
        raise capture_error("place a pod", self._expired("placement", f"{conditions}; {made.trouble}"))

    def _unregister(self) -> None:
        """Let the API server have no Node object, so that the next kubelet registers what its own machine has.

        A kubelet admits by its own copy of that object, and the scheduler by another: both may be of the kubelet before for
        a moment, or until the next has reported. Where there is none a kubelet goes by its own machine.
        """
        try:
            self._api.delete(f"/api/v1/nodes/{self.name}")
        except RefusedError as refused:
            raise self._unwilling("delete the Node object", refused) from refused

    def _await_registered(self) -> None:
        """Wait until a kubelet has told the API server of its node."""

        def told() -> tuple[bool, object]:
            try:
                conditions = self._api.get(f"/api/v1/nodes/{self.name}")["status"].get("conditions")
            except RefusedError as refused:
                if refused.code != NOT_FOUND:
                    raise self._unwilling("look for the Node object", refused) from refused
                return False, refused
            return bool(conditions), conditions

        self.until("tell the API server of the node", "placement", told)

    def _follow(self) -> PodWatch:
        if self._made is None:
            self._made = PodWatch(self._api, self.name, label=manifest.LABEL)
        return self._made

    # Going

    def dismiss(self, uids: Collection[str]) -> None:
        """Delete the controllers of pods, and what they made that never came to the node."""
        gone = {controller.name: controller for uid in uids if (controller := self._owners.get(uid))}
        for controller in gone.values():
            self._delete_controllers(f"{ways.OWNER}={controller.name}")
            made = self._follow().pods()
            waiting = [each for uid, each in made.items() if _owner(each) == controller.name and uid not in self._names]
            for each in waiting:
                self._api.delete(f"{self.home.pods}/{each['metadata']['name']}", grace=0)
        self._owners = {uid: each for uid, each in self._owners.items() if each.name not in gone}
        self._controllers = {pod: each for pod, each in self._controllers.items() if each.name not in gone}

    def _delete_all(self) -> None:
        self._delete_controllers(f"{manifest.LABEL}={self.name}")
        super()._delete_all()

    def _delete_controllers(self, selector: str) -> None:
        """Controllers make nothing more from then on; their pods stay until they are removed one by one."""
        for kind in ("Deployment", "DaemonSet", "ReplicaSet"):
            path = ways.collection(kind, self.home)
            for item in self._api.get(path, labelSelector=selector)["items"]:
                self._api.delete(f"{path}/{item['metadata']['name']}", orphan=True)

    # Seeing

    def made(self) -> Mapping[str, int]:
        """First pod of every controller whose pods have come → how many it has made; one for each rejected pod is waited for."""
        followed = self._made
        if followed is None:
            return {}
        owners = {self._owners[uid] for uid in self._bound & self._owners.keys()}

        def numbers(refused: Callable[[Document], bool]) -> dict[str, int]:
            known = {**followed.gone(), **followed.pods()}
            return {
                owner.first: sum(_owner(each) == owner.name and refused(each) for each in known.values())
                for owner in owners
            }

        def turned_away(pod: Document) -> bool:
            """By what either watch has heard; that of the node may be the first."""
            return rejected(pod.get("status") or {}) or rejected(self.status(pod["metadata"]["uid"]))

        def settled(_: object) -> bool:
            again, every = numbers(turned_away), numbers(lambda _: True)
            return all(every[first] > again[first] for first in every)

        followed.until(settled, self.timeouts.seconds("controller"))  # a controller that makes no more is seen as that
        return numbers(lambda _: True)

    def tidied(self) -> set[str]:
        """UIDs of pods of the scenario that their controllers have deleted, each told once."""
        gone = self._made.gone().keys() if self._made else set()
        new = (self._there & self._bound & gone) - self._tidied
        self._tidied |= new
        return new

    def warnings(self) -> Mapping[str, Warnings]:
        """UID of a rejected pod → the kubelet's warnings about it that the API server has; they are waited for."""
        rejections = {uid: status for uid in self._there if rejected(status := self.status(uid))}
        for uid in rejections.keys() - self._warned.keys():
            self._warned[uid] = self._await_warning(uid, str(rejections[uid]["reason"]))
        return {uid: self._warned[uid] for uid in rejections}

    def _await_warning(self, uid: str, reason: str) -> Warnings:
        told: Warnings = ()
        for _ in looks(self.timeouts.seconds("event"), pause=_PAUSE):
            found = [event for event in self.events(uid) if event["type"] == "Warning" and _by_kubelet(event)]
            told = tuple(sorted((event["reason"], event.get("message", "")) for event in found))
            if any(each == reason for each, _ in told):
                break
        return told

    def status(self, uid: str) -> Mapping[str, object]:
        """Status of a pod; of one that its controller has deleted, as it was at last."""
        return self._watch.status(uid) or self._watch.gone().get(uid, {}).get("status") or {}

    def begin(self) -> None:
        """Forget who was who in former scenarios."""
        super().begin()
        if self._made is not None:
            self._made.forget()
        self._gated.clear()
        self._tidied.clear()
        self._controllers.clear()
        self._owners.clear()
        self._warned.clear()


def _owner(pod: Document) -> str:
    return str((pod["metadata"].get("labels") or {}).get(ways.OWNER, ""))


def _is_placed(pod: Document) -> bool:
    return bool((pod.get("spec") or {}).get("nodeName"))


def _by_kubelet(event: Document) -> bool:
    sources: Sequence[object] = ((event.get("source") or {}).get("component"), event.get("reportingComponent"))
    return "kubelet" in sources

"""A scenario carried out on a node of somebody else's cluster, beside the pods that are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pinproof.history import Pages
from pinproof.scenario.steps import Scenario
from pinproof.subjects.cluster.initial import Resident
from pinproof.subjects.cluster.node import ClusterNode
from pinproof.subjects.kind.performance import KindPerformance
from pinproof.subjects.kubelet.identities import Identities
from pinproof.subjects.kubelet.lifecycle import LivePod
from pinproof.subjects.kubelet.observe import capture_error

_OVER = ("Succeeded", "Failed")


class ClusterPerformance(KindPerformance):
    """One run of a scenario: what the API server hears tells when a step is done."""

    def __init__(self, scenario: Scenario, node: ClusterNode, *, prefix: str, there: Iterable[Resident]) -> None:
        """The scenario is that of our own pods; those that are `there` only have to stay."""
        super().__init__(scenario, node, identities=Identities(), prefix=prefix, refused=None)
        self._cluster = node
        for number, resident in enumerate(there, 1):
            live = LivePod(resident.pod, resident.uid, resident.place, number)
            live.stuck = True  # whatever state its containers are in, nothing is waited for
            self.pods[live.uid] = live
            self._names.pods[live.uid] = live.pod.name
            self._names.namespaces[live.namespace] = live.uid
            self._earlier = self._arrivals = number

    def _observe(self, number: int) -> None:
        """What a runtime was told, nobody tells here; where memory lies, the kernel does if it has the nodes."""
        super()._observe(number)
        lying = self._lying() if self._cluster.real else None
        self._observations[-1] = replace(self._observations[-1], told=None, pages=lying)

    def _lying(self) -> dict[str, dict[str, Pages]]:
        lying: dict[str, dict[str, Pages]] = {}
        running = [each for each in self._containers if each["uid"] in self._created and each["state"] == "running"]
        for each in running:
            seen = self._cluster.pages(each["uid"], each["container"])
            if seen is not None:
                lying.setdefault(self._names.of(each["uid"]), {})[each["container"]] = seen
        return lying

    def _is_over(self, live: LivePod) -> tuple[bool, object]:
        phase = self._phases({live.uid}).get(live.uid)
        return phase in _OVER, f"it is {phase}"

    def _have_ended(self, uids: set[str]) -> tuple[bool, object]:
        """A kubelet reports a pod's end when nothing of it runs any more."""
        phases = self._phases(uids)
        return all(phase in _OVER for phase in phases.values()), phases

    def _phases(self, uids: set[str]) -> Mapping[str, str]:
        items = self._cluster.observe(everything=False)["pods"]["items"]
        return {pod["metadata"]["uid"]: pod["status"].get("phase") for pod in items if pod["metadata"]["uid"] in uids}

    def require_same(self, there: Iterable[Resident]) -> None:
        """Raises CaptureError where pods that are not ours came or went meanwhile: nothing can be said then."""
        before = {resident.uid: resident.place for resident in there}
        now = {
            pod["metadata"]["uid"]: f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in self._alive()
        }
        came, went = now.keys() - before.keys(), before.keys() - now.keys()
        if came or went:
            words = [f"{now[uid]} came" for uid in came] + [f"{before[uid]} went" for uid in went]
            raise capture_error("watch the node", f"while the scenario ran, {', '.join(sorted(words))}")

    def _alive(self) -> list[dict[str, dict[str, str]]]:
        return [pod for pod in self._cluster.others() if (pod.get("status") or {}).get("phase") not in _OVER]

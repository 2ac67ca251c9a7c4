"""Whether the steps of a scenario can follow one another: pods that are there, machines and reservations that fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pinproof.scenario.config import KubeletConfig
from pinproof.scenario.configs import check_reservations
from pinproof.scenario.machine import Machine
from pinproof.scenario.other_hints import check_hints
from pinproof.scenario.pod import CONTROLLERS, Pod
from pinproof.scenario.steps import Admit, AdmitTogether, Crash, Exit, Remove, Restart, Step
from pinproof.scenario.yamltext import Location

Say = Callable[[Location, str], None]


class Timeline:
    """Follows a scenario step by step and says what cannot be.

    It knows what the file says and nothing of what a kubelet decides: a rejected pod is still there, since a user can
    remove it.
    """

    def __init__(self, say: Say, machine: Machine | None, kubelet: KubeletConfig, *, at: Location) -> None:
        self._say = say
        self._pods: dict[str, Pod] = {}
        self._gone: set[str] = set()
        self._certain = True
        self.machine = machine
        self.kubelet = kubelet
        self._reservations(at)

    def unreadable(self) -> None:
        """A step could not be read: from here on an unknown pod may be one of its."""
        self._certain = False

    def follow(self, step: Step, at: Location) -> None:
        """Take the next step, which stands at `at`."""
        if isinstance(step, Admit):
            self._admit(step.pod, at)
        elif isinstance(step, AdmitTogether):
            for index, pod in enumerate(step.pods):
                self._admit(pod, (*at, index))
        elif isinstance(step, Remove):
            if self._known(step.pod, at):
                del self._pods[step.pod]
                self._gone.add(step.pod)
        elif isinstance(step, Exit):
            self._exit(step, at)
        elif isinstance(step, Crash):
            self.follow(step.during, (*at, "during", type(step.during).__name__.lower()))
        elif isinstance(step, Restart):
            self._restart(step, at)

    def _admit(self, pod: Pod, at: Location) -> None:
        if pod.name in self._pods:
            self._say((*at, "name"), f"the pod {pod.name} is there already; remove it first, or use another name")
        if pod.replaces and self._known(pod.replaces, (*at, "replaces")):
            self._replaces(pod, self._pods[pod.replaces], (*at, "replaces"))
        self._pods[pod.name] = pod
        self._hints(pod, at)

    def _replaces(self, pod: Pod, former: Pod, at: Location) -> None:
        """A controller makes pods that differ in nothing but their names."""
        if former.by not in CONTROLLERS and not former.replaces:
            self._say(at, f"the pod {former.name} has no controller that would make another; give it `by: Deployment`")
        elif replace(pod, name="", replaces="") != replace(former, name="", by="", replaces=""):
            self._say(at, f"a controller makes equal pods; give this one the containers of the pod {former.name}")

    def _exit(self, step: Exit, at: Location) -> None:
        if not self._known(step.pod, (*at, "pod")):
            return
        names = [container.name for container in self._pods[step.pod].all_containers]
        if step.container not in names:
            self._say((*at, "container"), f"the pod {step.pod} has no container {step.container}, but {_list(names)}")

    def _restart(self, step: Restart, at: Location) -> None:
        for index, name in enumerate(step.order):
            if name in step.order[:index]:
                self._say((*at, "order", index), f"the pod {name} stands twice in the order; name it once")
            else:
                self._known(name, (*at, "order", index))
        if step.kernel and not step.boots:
            self._say((*at, "kernel"), "a kernel boots when its node does; say signal: POWER or REBOOT")
        self.machine = step.machine or self.machine
        self.kubelet = step.kubelet or self.kubelet
        if step.machine:
            for pod in self._pods.values():
                self._hints(pod, (*at, "topology"))
        if step.machine or step.kubelet:
            self._reservations((*at, "kubelet") if step.kubelet else (*at, "topology"))

    def _known(self, name: str, at: Location) -> bool:
        if name in self._pods:
            return True
        if name in self._gone:
            self._say(at, f"the pod {name} was removed before")
        elif self._certain:
            there = f"; there are {_list(list(self._pods))}" if self._pods else "; none was admitted before"
            self._say(at, f"there is no pod {name}{there}")
        return False

    def _reservations(self, at: Location) -> None:
        if self.machine is None:
            return
        for place, message in check_reservations(self.kubelet, self.machine):
            self._say((*at, *place) if at[-1] == "kubelet" else at, message)

    def _hints(self, pod: Pod, at: Location) -> None:
        """Hints of a pod that arrives, or of one that is there when the machine changes."""
        if self.machine is None:
            return
        changed = at[-1] == "topology"
        for place, message in check_hints(pod, self.machine):
            self._say(
                at if changed else (*at, *place), f"hints of the pod {pod.name}: {message}" if changed else message
            )


def _list(names: list[str]) -> str:
    return ", ".join(names)

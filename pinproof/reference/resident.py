"""A pod on a modelled node, and what becomes of its containers when they end."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinproof.history import PodVerdict, Told
from pinproof.reference.requests import Asked
from pinproof.scenario.pod import Container, Pod


@dataclass(slots=True)
class Resident:
    """A pod that the kubelet knows."""

    pod: Pod
    uid: str
    verdict: PodVerdict
    asks: Asked
    """What it asks for, to the kubelet that runs."""

    told: dict[str, Told] = field(default_factory=dict)
    """Containers that were created, with what the runtime was told last."""

    over: set[str] = field(default_factory=set)
    """Containers that ended for good."""

    finished: bool = False
    """The pod is Succeeded or Failed after having run."""

    known_by_name: bool = True
    """How the kubelet that made its containers knows them: `Behaviour.knows_containers_by_name_and_image`."""

    sandboxed: bool = False
    """Whether the runtime has its sandbox."""

    unstarted: str = ""
    """The container that was created last and has not been started; a kubelet that finds one makes it anew."""

    stuck: str = ""
    """An init container that was created and is started by nobody any more."""

    @property
    def arrival(self) -> int:
        """The how-many-th pod it was to arrive."""
        return int(self.uid.rpartition(".")[2])

    @property
    def active(self) -> bool:
        """Whether its assignments are kept."""
        return self.verdict.admitted and not self.finished

    def is_taken_over(self, *, starts_created_init: bool) -> None:
        """Another kubelet finds what the last one has left: a container that was created and not started is made anew."""
        if starts_created_init or self.unstarted not in {init.name for init in self.pod.init_containers}:
            self.told.pop(self.unstarted, None)
        else:
            self.stuck = self.unstarted
        self.unstarted = ""

    def is_forgotten(self) -> None:
        """The runtime has nothing of it any more."""
        self.told.clear()
        self.over.clear()
        self.sandboxed, self.unstarted, self.stuck = False, "", ""


def comes_back(pod: Pod, container: Container, code: int, *, regular_init: bool) -> bool:
    """Whether the kubelet starts a container again after it ended."""
    if container.restart_always or (regular_init and pod.restart_policy != "Never"):
        return True
    return pod.restart_policy == "Always" or (pod.restart_policy == "OnFailure" and code != 0)
